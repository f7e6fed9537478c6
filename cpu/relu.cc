#include "relu.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "bytes.h"
#include "memory.h"

namespace alexnet::cpu {
namespace {

template <class Real>
ALEXNET_INLINE void forwardPiece(const Real* input, Real* output, int64_t length) {
#pragma GCC ivdep
  for (int64_t i = 0; i < length; ++i) {
    const float x = widen(input[i]);
    output[i] = narrow<Real>(x <= 0 ? 0.0F : x);
  }
}

template <class Real>
ALEXNET_INLINE void backwardPiece(const Real* output, const Real* outputGradient, Real* inputGradient, int64_t length) {
#pragma GCC ivdep
  for (int64_t i = 0; i < length; ++i) {
    inputGradient[i] = narrow<Real>(widen(outputGradient[i]) * reluSlope(widen(output[i])));
  }
}

// The bits of the largest number without its sign: they are ordered as magnitudes are, infinity and NaN above all others.
template <class Bits, class Real>
ALEXNET_INLINE Bits largestOfPiece(const Real* values, int64_t length) {
  Bits largest = 0;
  for (int64_t i = 0; i < length; ++i) {
    Bits bits;
    std::memcpy(&bits, &values[i], sizeof bits);
    largest = std::max(largest, static_cast<Bits>(bits & (std::numeric_limits<Bits>::max() >> 1)));
  }
  return largest;
}

ALEXNET_VECTORIZED void forward(const float* input, float* output, int64_t length) {
  forwardPiece(input, output, length);
}
ALEXNET_VECTORIZED void forward(const Bfloat16* input, Bfloat16* output, int64_t length) {
  forwardPiece(input, output, length);
}
ALEXNET_VECTORIZED void backward(const float* output, const float* outputGradient, float* inputGradient,
                                 int64_t length) {
  backwardPiece(output, outputGradient, inputGradient, length);
}
ALEXNET_VECTORIZED void backward(const Bfloat16* output, const Bfloat16* outputGradient, Bfloat16* inputGradient,
                                 int64_t length) {
  backwardPiece(output, outputGradient, inputGradient, length);
}
ALEXNET_VECTORIZED uint32_t largest(const float* values, int64_t length) {
  return largestOfPiece<uint32_t>(values, length);
}
ALEXNET_VECTORIZED uint16_t largest(const Bfloat16* values, int64_t length) {
  return largestOfPiece<uint16_t>(values, length);
}

template <class Real>
void reluOf(const Real* input, Real* output, int64_t elements) {
  inPieces(elements, [&](int64_t begin, int64_t end) { forward(input + begin, output + begin, end - begin); });
}

template <class Real>
void reluBackwardOf(const ActivateBackward& operation) {
  const Real* const output = operation.output.data<Real>();
  const Real* const outputGradient = operation.outputGradient.data<Real>();
  Real* const inputGradient = operation.inputGradient.mutableData<Real>();
  inPieces(operation.output.elements(), [&](int64_t begin, int64_t end) {
    backward(output + begin, outputGradient + begin, inputGradient + begin, end - begin);
  });
}

template <class Real>
auto largestOf(const Real* values, int64_t elements) {
  using Bits = decltype(largest(values, elements));
  std::atomic<Bits> all{0};
  // So many elements are read in less time than it takes to wake a thread.
  inPieces<1 << 17>(elements, [&](int64_t begin, int64_t end) {
    const Bits own = largest(values + begin, end - begin);
    Bits before = all.load(std::memory_order_relaxed);
    while (before < own && !all.compare_exchange_weak(before, own, std::memory_order_relaxed)) {
    }
  });
  return all.load();
}

// Infinite or NaN where an element is.
double largestOf(const Tensor& tensor) {
  if (tensor.type == DataType::bfloat16) {
    return widen(Bfloat16{largestOf(tensor.data<Bfloat16>(), tensor.elements())});
  }
  const uint32_t bits = largestOf(tensor.data<float>(), tensor.elements());
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// The largest absolute value of a tensor, 0 where there is none. It is kept until the tensor is written.
class Magnitude {
 public:
  explicit Magnitude(const Tensor& tensor) : tensor_(tensor) {
    if (!tensor) return;
    auto& all = static_cast<CpuBuffer&>(*tensor.buffer).magnitudes;
    const auto same = [&](const auto& kept) { return kept.offset == tensor.offset && kept.bytes == tensor.bytes(); };
    auto found = std::find_if(all.begin(), all.end(), same);
    // A deque: what others of this operation's tensors point to stays where it is.
    if (found == all.end()) found = all.insert(found, {tensor.offset, tensor.bytes(), CpuBuffer::kNever, {}});
    const uint64_t version = tensor.buffer->version;
    isNew_ = found->version != version;
    if (isNew_) {
      found->version = version;
      found->largest.reset();
    }
    kept_ = &found->largest;
  }

  // What it costs to find it, in bytes to read: nothing for a tensor that was met before and has not been written
  // since (the weights of a net that predicts), for it will be met again.
  size_t cost() const { return tensor_ && isNew_ ? tensor_.bytes() : 0; }

  double value() const {
    if (!tensor_) return 0;
    if (!*kept_) *kept_ = largestOf(tensor_);
    return **kept_;
  }

 private:
  const Tensor& tensor_;
  std::optional<double>* kept_ = nullptr;
  bool isNew_ = false;
};

}  // namespace

void relu(const Tensor& input, const Tensor& output) {
  input.type == DataType::float32 ? reluOf(input.data<float>(), output.mutableData<float>(), input.elements())
                                  : reluOf(input.data<Bfloat16>(), output.mutableData<Bfloat16>(), input.elements());
}

void reluBackward(const ActivateBackward& operation) {
  operation.output.type == DataType::float32 ? reluBackwardOf<float>(operation) : reluBackwardOf<Bfloat16>(operation);
}

template <class Real>
void reluBackward(const Real* output, Real* gradient, int64_t length) {
  backward(output, gradient, gradient, length);
}

template void reluBackward(const float*, float*, int64_t);
template void reluBackward(const Bfloat16*, Bfloat16*, int64_t);

template <class Product>
bool fusesActivation(const Product& operation) {
  if (operation.activation != Activation::relu) return true;
  const Magnitude input(operation.input), weights(operation.weights), bias(operation.bias), addend(operation.addend);
  if (input.cost() + weights.cost() + addend.cost() >= 2 * operation.output.bytes()) return false;
  const double terms = static_cast<double>(operation.weights.elements() / operation.weights.dimension(0));
  const double most = terms * input.value() * weights.value() + bias.value() + addend.value();
  return most < std::numeric_limits<float>::max() / 2;  // half, for what rounding adds; false where it is NaN
}

template bool fusesActivation(const Conv2d& operation);
template bool fusesActivation(const Linear& operation);

}  // namespace alexnet::cpu
