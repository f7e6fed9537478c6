// Cast, copy, add, fill, permute.   Tensors of any shape, for permute fp32 with 4 dimensions.
// Casts are plain loops, not oneDNN's reorders: those flush bf16 numbers below the normal range to zero where
// the processor's conversion instruction does.
#include "cast.h"

#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

ALEXNET_VECTORIZED void convert(const float* __restrict input, Bfloat16* __restrict output, int64_t elements) {
  for (int64_t i = 0; i < elements; ++i) output[i] = narrow<Bfloat16>(input[i]);
}
ALEXNET_VECTORIZED void convert(const Bfloat16* __restrict input, float* __restrict output, int64_t elements) {
  for (int64_t i = 0; i < elements; ++i) output[i] = widen(input[i]);
}
ALEXNET_VECTORIZED void convert(const uint8_t* __restrict input, float* __restrict output, int64_t elements) {
  for (int64_t i = 0; i < elements; ++i) output[i] = static_cast<float>(input[i]);
}
ALEXNET_VECTORIZED void convert(const int32_t* __restrict input, float* __restrict output, int64_t elements) {
  for (int64_t i = 0; i < elements; ++i) output[i] = static_cast<float>(input[i]);
}

template <class From, class To>
void cast(const From* input, To* output, int64_t elements) {
  inPieces(elements, [&](int64_t begin, int64_t end) { convert(input + begin, output + begin, end - begin); });
}

template <class From, class To>
void cast(const Cast& operation) {
  cast(operation.input.data<From>(), operation.output.mutableData<To>(), operation.input.elements());
}

template <class Real>
ALEXNET_VECTORIZED void sum(const Real* input, const Real* addend, Real* output, int64_t elements) {
  for (int64_t i = 0; i < elements; ++i) output[i] = narrow<Real>(widen(input[i]) + widen(addend[i]));
}

template <class Real>
void add(const Add& operation) {
  const Real* const input = operation.input.data<Real>();
  const Real* const addend = operation.addend.data<Real>();
  Real* const output = operation.output.mutableData<Real>();
  inPieces(operation.output.elements(),
           [&](int64_t begin, int64_t end) { sum(input + begin, addend + begin, output + begin, end - begin); });
}

template <class Real>
void fill(const Fill& operation) {
  Real* const output = operation.output.mutableData<Real>();
  const Real value = narrow<Real>(operation.value);
  inPieces(operation.output.elements(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) output[i] = value;
  });
}

// Elements between neighbours of each dimension.
Shape stridesOf(const Shape& shape) { return {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1}; }

// The tensor from its element `start` on, for its address alone.
Tensor startingAt(Tensor tensor, const Shape& start, const Shape& strides) {
  for (size_t i = 0; i < start.size(); ++i) {
    tensor.offset += static_cast<size_t>(start[i] * strides[i]) * sizeof(float);
  }
  return tensor;
}

}  // namespace

void widen(const Tensor& bfloat16, float* values) { cast(bfloat16.data<Bfloat16>(), values, bfloat16.elements()); }

void narrow(const float* values, const Tensor& bfloat16) {
  cast(values, bfloat16.mutableData<Bfloat16>(), bfloat16.elements());
}

void CpuDevice::run(const Cast& operation) {
  switch (operation.input.type) {
    case DataType::uint8: return cast<uint8_t, float>(operation);
    case DataType::int32: return cast<int32_t, float>(operation);
    case DataType::float32:
      if (operation.output.type == DataType::bfloat16) return cast<float, Bfloat16>(operation);
      break;
    case DataType::bfloat16:
      if (operation.output.type == DataType::float32) return cast<Bfloat16, float>(operation);
      break;
  }
  run(Copy{operation.input, operation.output});
}

void CpuDevice::run(const Copy& operation) {
  copyBytes(operation.output.mutableData(), operation.input.data(), operation.input.bytes());
}

void CpuDevice::run(const Add& operation) {
  operation.output.type == DataType::float32 ? add<float>(operation) : add<Bfloat16>(operation);
}

void CpuDevice::run(const Fill& operation) {
  operation.output.type == DataType::float32 ? fill<float>(operation) : fill<Bfloat16>(operation);
}

void CpuDevice::run(const Permute& operation) {
  const Shape box = operation.box();
  const Shape inputStrides = stridesOf(operation.input.shape);
  const Shape outputStrides = stridesOf(operation.output.shape);
  dnnl::memory::dims read;
  for (const int64_t axis : operation.axes) read.push_back(inputStrides[static_cast<size_t>(axis)]);
  Key key = {static_cast<int64_t>(Kind::permutation)};
  for (const Shape& part : {box, read, outputStrides}) key.insert(key.end(), part.begin(), part.end());
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const Descriptor from(box, dnnl::memory::data_type::f32, read);
    const Descriptor to(box, dnnl::memory::data_type::f32, outputStrides);
    const dnnl::reorder::primitive_desc description(primitives_.engine, from, primitives_.engine, to, attributes());
    return Prepared(primitives_.engine, dnnl::reorder(description), description,
                    {{DNNL_ARG_FROM, Port::Role::input, from}, {DNNL_ARG_TO, Port::Role::output, to}});
  });
  const Tensor input = startingAt(operation.input, operation.inputStart, inputStrides);
  const Tensor output = startingAt(operation.output, operation.outputStart, outputStrides);
  primitives_.execute(prepared, {{DNNL_ARG_FROM, input}, {DNNL_ARG_TO, output}});
}

}  // namespace alexnet::cpu
