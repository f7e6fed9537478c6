// The first convolution, and its weight gradient, on tensor cores: unfolded, it is an ordinary one.          paper 3.5
//   windows of 11 x 11 on 3 channels, 4 pixels apart  =  windows of 3 x 3 on 48 channels, side by side: each cell of 4 x 4
//   pixels is one pixel of 4 * 4 * 3 channels (space to depth), and a window's 12th row and column have weights of 0
//   input [N, H, W, 3], weights [K, 11, 11, 3] bf16, or fp32 multiplied in TF32; the rest as conv2d_forward.cu and
//   conv2d_backward_weights.cu have it
//   cells [N, P + 2, Q + 2, 48], cell weights [K, 3, 3, 48] of the same type, in scratch memory
// Tensor cores want runs of 16 bytes, which rows of 3 channels are not. It costs 1.19 times the products.
// Pictures are unfolded a part of the batch at a time, as many as the scratch memory holds: they stay in the L2 cache.
// Mapping   unfoldPicturesKernel: a thread for a cell's row of 4 pixels; a lane's neighbour has the cell's next row, so that
//           stores run on. unfoldKernelsKernel, foldGradientKernel: a thread for a weight.
// Requires  compute capability 8.0; for the weight gradient K a multiple of 8, in fp32 of 4, starts on 16 bytes. Two
//           values of bf16 in a load where rows begin on 4 bytes and the padding is even.
// Bound     conv2d_forward_mma.cu's; unfolding: memory, each picture's bytes once in and a little more out.
// Checked   test/ops/conv2d.test.ts
#include <algorithm>

#include "../gemm/mma/gemm.cuh"
#include "conv1.cuh"
#include "conv2d_mma.h"
#include "windows_mma.h"

namespace alexnet::cuda::mma {
namespace {

using conv1::kWindow;
constexpr int kStride = 4;
constexpr int kCells = 3;                             // of a window, across and down
constexpr int kRun = kStride * 3;                     // values of a cell's row
constexpr int kCellValues = kStride * kRun;           // of a cell
constexpr int kKernelValues = kWindow * kWindow * 3;  // of a kernel
constexpr int kUnfoldedValues = kCells * kCells * kCellValues;
constexpr int kThreads = 256;

template <class Element>
constexpr int kRunWords = kRun * static_cast<int>(sizeof(Element)) / 4;

// A cell's row, whose values from `begin` to `end` exist: zeros elsewhere. `pairs`: two values in a load.
__device__ inline void loadRun(const __nv_bfloat16* source, int begin, int end, bool pairs,
                               unsigned (&words)[kRunWords<__nv_bfloat16>]) {
#pragma unroll
  for (int j = 0; j < kRun; j += 2) {
    const bool lower = j >= begin && j < end, upper = j + 1 >= begin && j + 1 < end;
    if (pairs) {
      words[j / 2] = lower ? __ldg(reinterpret_cast<const unsigned*>(source + j)) : 0;
    } else {
      const auto* const bits = reinterpret_cast<const unsigned short*>(source + j);
      words[j / 2] = (lower ? __ldg(bits) : 0U) | (upper ? __ldg(bits + 1) : 0U) << 16;
    }
  }
}
__device__ inline void loadRun(const float* source, int begin, int end, bool, unsigned (&words)[kRunWords<float>]) {
#pragma unroll
  for (int j = 0; j < kRun; ++j) {
    words[j] = j >= begin && j < end ? __ldg(reinterpret_cast<const unsigned*>(source + j)) : 0;
  }
}

// cells[n, y, x, (i, j, c)] = input[n, 4 y + i - padTop, 4 x + j - padLeft, c], or 0 outside of the picture.
template <class Element>
__global__ void __launch_bounds__(kThreads)
    unfoldPicturesKernel(const Element* __restrict__ input, Element* __restrict__ cells, ConvGeometry geometry,
                         bool pairs, int64_t runs) {
  const int64_t run = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;  // (n, y, x, i)
  if (run >= runs) return;
  const int i = static_cast<int>(run % kStride);
  const int64_t cell = run / kStride;
  const int across = geometry.outputWidth + kCells - 1, down = geometry.outputHeight + kCells - 1;
  const int x = static_cast<int>(cell % across);
  const int64_t line = cell / across;
  const int row = kStride * static_cast<int>(line % down) + i - geometry.padTop;
  const int first = kRun * x - 3 * geometry.padLeft;  // value of the row
  const int end = row >= 0 && row < geometry.height ? geometry.rowElements : 0;
  const Element* const source = input + ((line / down) * geometry.height + row) * geometry.rowElements + first;
  unsigned words[kRunWords<Element>];
  loadRun(source, -first, end - first, pairs, words);
  auto* const destination = reinterpret_cast<uint2*>(cells + run * kRun);
#pragma unroll
  for (int j = 0; j < kRunWords<Element> / 2; ++j) destination[j] = make_uint2(words[2 * j], words[2 * j + 1]);
}

// The place in a kernel [11, 11, 3] of value `unfolded` of a cell kernel [3, 3, (4, 4, 3)]; -1 for the 12th row or column.
__device__ inline int placeOf(int unfolded) {
  const int cell = unfolded / kCellValues, value = unfolded % kCellValues;
  const int r = cell / kCells * kStride + value / kRun;
  const int s = cell % kCells * kStride + value % kRun / 3;
  return r < kWindow && s < kWindow ? (r * kWindow + s) * 3 + value % 3 : -1;
}

template <class Element>
__global__ void __launch_bounds__(kThreads)
    unfoldKernelsKernel(const Element* __restrict__ weights, Element* __restrict__ unfolded, int values) {
  const int at = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (at >= values) return;
  const int place = placeOf(at % kUnfoldedValues);
  const int64_t kernel = at / kUnfoldedValues;
  unfolded[at] = place < 0 ? Element(0.0F) : weights[kernel * kKernelValues + place];
}

// gradient[k, r, s, c] = sum over i of partials[i, k, unfolded], from the first to the last; `more`: on top of what it is.
__global__ void __launch_bounds__(kThreads)
    foldGradientKernel(const float* __restrict__ partials, float* __restrict__ gradient, int kernels, int64_t count,
                       bool more) {
  const int unfoldedValues = kernels * kUnfoldedValues;
  const int at = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (at >= unfoldedValues) return;
  const int place = placeOf(at % kUnfoldedValues);
  if (place < 0) return;
  float* const destination = gradient + static_cast<int64_t>(at / kUnfoldedValues) * kKernelValues + place;
  float sums[1] = {more ? *destination : 0.0F};
  addInOrder<16>(count, sums, [&](int64_t i, int) { return partials[i * unfoldedValues + at]; });
  *destination = sums[0];
}

// A convolution on `images` pictures of cells that does what conv1 of geometry `of` does.
ConvGeometry unfolded(const ConvGeometry& of, int images) {
  ConvGeometry cells = of;
  cells.images = images;
  cells.height = of.outputHeight + kCells - 1;
  cells.width = of.outputWidth + kCells - 1;
  cells.channels = cells.groupChannels = kCellValues;
  cells.windowHeight = cells.windowWidth = kCells;
  cells.stride = 1;
  cells.padTop = cells.padLeft = 0;
  cells.rowElements = cells.width * kCellValues;
  cells.kernelElements = kUnfoldedValues;
  cells.inputTaps = radixOf(kCells, kCellValues, 1);  // nobody steps in it
  return cells;
}

// The parts of a batch, and the scratch memory behind the partial sums where each is unfolded.
template <class Element>
class Parts {
 public:
  Parts(const ConvGeometry& geometry, bool kernels, const Tensor& input, Context& context)
      : geometry_(geometry), input_(input), context_(context) {
    const ConvGeometry one = unfolded(geometry, 1);
    pictureValues_ = int64_t{one.height} * one.rowElements;
    const size_t kernelBytes = kernels ? (sizeof(Element) * kUnfoldedValues * geometry.kernels + 255) / 256 * 256 : 0;
    const auto processors = static_cast<size_t>(context.limits().multiprocessors);
    const size_t room = std::max(processors * kUnfoldedPerProcessor, kernelBytes) - kernelBytes;
    const auto fitting = std::max<int64_t>(1, static_cast<int64_t>(room / sizeof(Element)) / pictureValues_);
    const auto count = static_cast<int>((geometry.images + fitting - 1) / fitting);
    pictures_ = (geometry.images + count - 1) / count;
    partialBytes_ = std::max(context.limits().partialBytes(), size_t{4} * (kUnfoldedValues + 1) * geometry.kernels);
    // All at once: what is here must not move while it is used.
    const size_t cellBytes = static_cast<size_t>(pictures_ * pictureValues_) * sizeof(Element);
    auto* const scratch = static_cast<char*>(context.scratch(partialBytes_ + kernelBytes + cellBytes));
    partials_ = reinterpret_cast<float*>(scratch);
    kernels_ = reinterpret_cast<Element*>(scratch + partialBytes_);
    cells_ = reinterpret_cast<Element*>(scratch + partialBytes_ + kernelBytes);
  }

  int count() const { return (geometry_.images + pictures_ - 1) / pictures_; }
  int first(int part) const { return part * pictures_; }
  ConvGeometry geometry(int part) const {
    return unfolded(geometry_, std::min(pictures_, geometry_.images - first(part)));
  }
  size_t partialBytes() const { return partialBytes_; }
  float* partials() const { return partials_; }

  const Element* unfoldPictures(int part) const {
    const ConvGeometry cells = geometry(part);
    const int64_t runs = int64_t{cells.images} * cells.height * cells.width * kStride;
    const int64_t skipped = int64_t{first(part)} * geometry_.height * geometry_.rowElements;
    const bool pairs = geometry_.rowElements % 2 == 0 && geometry_.padLeft % 2 == 0 &&
                       reinterpret_cast<uintptr_t>(input_.data()) % 4 == 0;
    launch("unfoldPicturesKernel", unfoldPicturesKernel<Element>, {ceilingOf(runs, kThreads)}, kThreads,
           context_.stream(), input_.data<Element>() + skipped, cells_, geometry_, pairs, runs);
    return cells_;
  }

  const Element* unfoldKernels(const Tensor& weights) const {
    const int values = geometry_.kernels * kUnfoldedValues;
    launch("unfoldKernelsKernel", unfoldKernelsKernel<Element>, {ceilingOf(values, kThreads)}, kThreads,
           context_.stream(), weights.data<Element>(), kernels_, values);
    return kernels_;
  }

 private:
  const ConvGeometry geometry_;
  const Tensor& input_;
  Context& context_;
  int64_t pictureValues_;  // unfolded
  int pictures_;           // of a part; the last may have fewer
  size_t partialBytes_;
  float* partials_;
  Element *kernels_, *cells_;
};

bool areFew(const Tensor& input, const Tensor& output, const Tensor& weights) {
  return input.elements() < kMostElements && output.elements() < kMostElements &&
         weights.dimension(0) < kMostElements / kUnfoldedValues;
}

template <class Element>
void forward(const Conv2d& operation, Context& context) {
  const ConvGeometry geometry =
      geometryOf(Conv2d::name, operation.input, operation.weights, operation.output, operation.shape);
  const Parts<Element> parts(geometry, true, operation.input, context);
  const Element* const kernels = parts.unfoldKernels(operation.weights);
  Epilogue epilogue = epilogueOf(operation.output, geometry.kernels, geometry.kernels);
  epilogue.activation = operation.activation;
  epilogue.bias = floatsOf(operation.bias);
  const int64_t pictureOutputs = int64_t{geometry.outputHeight} * geometry.outputRowElements;
  auto* const output = static_cast<char*>(epilogue.output);
  for (int part = 0; part < parts.count(); ++part) {
    const int64_t skipped = parts.first(part) * pictureOutputs;
    epilogue.output = output + skipped * static_cast<int64_t>(sizeOf(epilogue.type));
    epilogue.addend = operation.addend ? floatsOf(operation.addend) + skipped : nullptr;
    multiplyWindows(parts.unfoldPictures(part), kernels, parts.geometry(part), epilogue, context);
  }
}

template <class Element>
void backwardWeights(const Conv2dBackwardWeights& operation, Context& context) {
  const ConvGeometry geometry = geometryOf(Conv2dBackwardWeights::name, operation.input, operation.weightGradient,
                                           operation.outputGradient, operation.shape);
  const Parts<Element> parts(geometry, false, operation.input, context);
  const int64_t pictureOutputs = int64_t{geometry.outputHeight} * geometry.outputRowElements;
  const int64_t values = int64_t{geometry.kernels} * kUnfoldedValues;
  const int64_t room = static_cast<int64_t>(parts.partialBytes()) / (4 * (values + geometry.kernels));
  const auto share = static_cast<size_t>(std::max<int64_t>(1, room / parts.count()) * 4 * values);
  const Tensor& bias = operation.biasGradient;
  float* const biasPartials = parts.partials() + room * values;
  int64_t count = 0;
  bool more = false;
  const auto fold = [&] {
    launch("foldGradientKernel", foldGradientKernel, {ceilingOf(values, kThreads)}, kThreads, context.stream(),
           parts.partials(), operation.weightGradient.mutableData<float>(), geometry.kernels, count, more);
    if (bias) {
      Epilogue epilogue = epilogueOf(bias, geometry.kernels, 1);
      if (more) epilogue.addend = floatsOf(bias);
      sumPartials(biasPartials, count, geometry.kernels, epilogue, context);
    }
    more = true;
    count = 0;
  };
  for (int part = 0; part < parts.count(); ++part) {
    const ConvGeometry cells = parts.geometry(part);
    const ShapeTiling tiling = chooseTile(gradientGemm(cells, operation.input.type), context.limits(), share);
    const Element* const gradient = operation.outputGradient.data<Element>() + parts.first(part) * pictureOutputs;
    if (count + tiling.tiling.splits > room) fold();
    const Gradients gradients{parts.partials() + count * values,
                              bias ? biasPartials + count * geometry.kernels : nullptr};
    sumWindows(gradient, parts.unfoldPictures(part), cells, tiling, gradients, context);
    count += tiling.tiling.splits;
  }
  fold();
}

}  // namespace

bool takesConv1(const Conv2d& operation, const Context& context) {
  return multiplies(operation.input.type, operation.tf32, context) &&
         areFew(operation.input, operation.output, operation.weights);
}

void conv1ForwardMma(const Conv2d& operation, Context& context) {
  withElement(operation.input.type, [&](auto element) { forward<decltype(element)>(operation, context); });
}

bool takesConv1(const Conv2dBackwardWeights& operation, const Context& context) {
  return multiplies(operation.input.type, operation.tf32, context) &&
         suits(operation.outputGradient, operation.weightGradient.dimension(0)) &&
         areFew(operation.input, operation.outputGradient, operation.weightGradient);
}

void conv1BackwardWeightsMma(const Conv2dBackwardWeights& operation, Context& context) {
  withElement(operation.input.type, [&](auto element) { backwardWeights<decltype(element)>(operation, context); });
}

}  // namespace alexnet::cuda::mma
