// Cast, copy, fill, permute.   Tensors of any shape, for permute fp32 with 4 dimensions.
// Casts are plain loops, not oneDNN's reorders: those flush bf16 numbers below the normal range to zero where
// the processor's conversion instruction does.
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
void cast(const Cast& operation) {
  const From* const input = operation.input.data<From>();
  To* const output = operation.output.mutableData<To>();
  inPieces(operation.input.elements(),
           [&](int64_t begin, int64_t end) { convert(input + begin, output + begin, end - begin); });
}

template <class Real>
void fill(const Fill& operation) {
  Real* const output = operation.output.mutableData<Real>();
  const Real value = narrow<Real>(operation.value);
  inPieces(operation.output.elements(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) output[i] = value;
  });
}

}  // namespace

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

void CpuDevice::run(const Fill& operation) {
  operation.output.type == DataType::float32 ? fill<float>(operation) : fill<Bfloat16>(operation);
}

void CpuDevice::run(const Permute& operation) {
  const Shape& shape = operation.input.shape;
  Key key = {static_cast<int64_t>(Kind::permutation)};
  key.insert(key.end(), shape.begin(), shape.end());
  key.insert(key.end(), operation.axes.begin(), operation.axes.end());
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const Shape lies = {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1};
    dnnl::memory::dims strides;
    for (const int64_t axis : operation.axes) strides.push_back(lies[static_cast<size_t>(axis)]);
    const auto type = typeOf(operation.input);
    const Descriptor from(operation.output.shape, type, strides);
    const Descriptor to(operation.output.shape, type, dnnl::memory::format_tag::abcd);
    const dnnl::reorder::primitive_desc description(primitives_.engine, from, primitives_.engine, to, attributes());
    return Prepared(primitives_.engine, dnnl::reorder(description), description,
                    {{DNNL_ARG_FROM, Port::Role::input, from}, {DNNL_ARG_TO, Port::Role::output, to}});
  });
  primitives_.execute(prepared, {{DNNL_ARG_FROM, operation.input}, {DNNL_ARG_TO, operation.output}});
}

}  // namespace alexnet::cpu
