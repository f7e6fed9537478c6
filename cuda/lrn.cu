// Local response normalization across channels, forward.                                              paper 3.3
//   b[n,h,w,c] = a[n,h,w,c] / (k + alpha * sum a[n,h,w,j]^2)^beta     |j - c| <= size / 2, clipped to c's column
//   a, b   [N, H, W, C]  fp32 or bf16, the sum and the power in fp32
// Mapping   memory is a run of chunks of 8 channels, and a lane takes one. Columns are whole chunks, so column and pixel
//           need no index of their own: a lane only asks where in its column it is. Halos come by shuffle; the first
//           and the last lane of a warp, whose neighbours are in other warps, read theirs from memory.
// Requires  odd size <= 9; C / columns a multiple of 8; 16-byte aligned tensors that do not overlap; < 2^34 elements.
// Bound     memory: reads a once, writes b once.
// Checked   test/cuda/kernels.test.ts: loads and stores of 16 bytes, no spills, no stack. Not run on a GPU yet.
#include "lrn.h"

#include <string>

#include "launch.cuh"
#include "vector.cuh"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 8;
constexpr unsigned kWarp = 0xffffffffU;

// x^-beta. beta = 3/4, the paper's, in three instructions: sqrt(1/x) * sqrt(sqrt(1/x)).
template <bool kThreeQuarters>
__device__ float inversePower(float x, float beta) {
  if constexpr (kThreeQuarters) {
    float root, fourthRoot;  // of 1 / x
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(root) : "f"(x));
    asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(fourthRoot) : "f"(root));
    return root * fourthRoot;
  } else {
    return powf(x, -beta);
  }
}

template <class T, int kHalf, bool kThreeQuarters>
__global__ void __launch_bounds__(kThreads)
    lrnForwardKernel(const T* __restrict__ input, T* __restrict__ output, unsigned chunks, unsigned chunksPerColumn,
                     float alpha, float beta, float k) {
  const unsigned chunk = blockIdx.x * kThreads + threadIdx.x;
  const unsigned lane = threadIdx.x % 32;
  const unsigned place = chunk % chunksPerColumn;
  const bool inside = chunk < chunks;  // lanes beyond the end stay: a shuffle needs the whole warp
  const bool hasLeft = inside && place > 0;
  const bool hasRight = inside && place + 1 < chunksPerColumn;
  const T* source = input + static_cast<size_t>(chunk) * kChunk;

  float a[kChunk] = {};
  float beyond[4] = {};  // 4 channels of the neighbouring chunk, where that is another warp's
  if (inside) load8(source, a);
  if constexpr (kHalf > 0) {
    if (lane == 0 && hasLeft) load4(source - 4, beyond);
    if (lane == 31 && hasRight) load4(source + kChunk, beyond);
  }

  float squares[kChunk + 2 * kHalf];  // of channels -kHalf .. 7 + kHalf of this chunk
#pragma unroll
  for (int i = 0; i < kChunk; ++i) squares[kHalf + i] = a[i] * a[i];
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float left = __shfl_up_sync(kWarp, squares[kChunk + i], 1);
    const float right = __shfl_down_sync(kWarp, squares[kHalf + i], 1);
    const float beforeWarp = beyond[4 - kHalf + i] * beyond[4 - kHalf + i];
    const float afterWarp = beyond[i] * beyond[i];
    squares[i] = !hasLeft ? 0.0F : lane == 0 ? beforeWarp : left;
    squares[kHalf + kChunk + i] = !hasRight ? 0.0F : lane == 31 ? afterWarp : right;
  }

  float b[kChunk];
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    float sum = squares[i];
#pragma unroll
    for (int j = 1; j <= 2 * kHalf; ++j) sum += squares[i + j];
    b[i] = a[i] * inversePower<kThreeQuarters>(fmaf(alpha, sum, k), beta);
  }
  if (inside) store8(output + static_cast<size_t>(chunk) * kChunk, b);
}

// One LRN, as the launchers below pass it on.
struct Work {
  const void* input;  // [chunks * 8]
  void* output;       // [chunks * 8]
  unsigned chunks, chunksPerColumn;
  LrnShape shape;
  cudaStream_t stream;
};

template <class T, int kHalf, bool kThreeQuarters>
void launchKernel(const Work& work) {
  // Chunks ride grid.x: y and z stop at 65,535 blocks.
  const Grid grid{(static_cast<int64_t>(work.chunks) + kThreads - 1) / kThreads};
  launch("lrnForwardKernel", lrnForwardKernel<T, kHalf, kThreeQuarters>, grid, kThreads, work.stream,
         static_cast<const T*>(work.input), static_cast<T*>(work.output), work.chunks, work.chunksPerColumn,
         work.shape.alpha, work.shape.beta, work.shape.k);
}

template <class T, bool kThreeQuarters>
void launchForSize(const Work& work) {
  switch (work.shape.size) {
    case 1: return launchKernel<T, 0, kThreeQuarters>(work);
    case 3: return launchKernel<T, 1, kThreeQuarters>(work);
    case 5: return launchKernel<T, 2, kThreeQuarters>(work);
    case 7: return launchKernel<T, 3, kThreeQuarters>(work);
    case 9: return launchKernel<T, 4, kThreeQuarters>(work);
    default:
      throw Error(kArgument, "size must be 1, 3, 5, 7 or 9 on CUDA, got " + std::to_string(work.shape.size) + ".");
  }
}

template <class T>
void launchForBeta(const Work& work) {
  return work.shape.beta == 0.75F ? launchForSize<T, true>(work) : launchForSize<T, false>(work);
}

void require(bool condition, const std::string& message) {
  if (!condition) throw Error(kArgument, message);
}

}  // namespace

void lrnForward(DataType type, const void* input, void* output, int64_t pixels, int64_t channels, const LrnShape& shape,
                cudaStream_t stream) {
  require(type == DataType::float32 || type == DataType::bfloat16, "input must be float32 or bfloat16.");
  require(shape.columns >= 1 && channels % (shape.columns * kChunk) == 0,
          "each column must have a multiple of 8 channels on CUDA, got " + std::to_string(channels) + " channels in " +
              std::to_string(shape.columns) + " columns.");
  const int64_t chunks = pixels * (channels / kChunk);
  require(chunks >= 1 && chunks <= INT32_MAX, "the tensor must have fewer than 2^34 elements on CUDA.");
  const auto from = reinterpret_cast<uintptr_t>(input);
  const auto to = reinterpret_cast<uintptr_t>(output);
  const auto bytes = static_cast<uintptr_t>(chunks * kChunk) * sizeOf(type);
  require(from % 16 == 0 && to % 16 == 0, "input and output must start at a multiple of 16 bytes on CUDA.");
  require(from + bytes <= to || to + bytes <= from, "output must not overlap input on CUDA.");
  const int64_t chunksPerColumn = channels / shape.columns / kChunk;
  const Work work{input, output, static_cast<unsigned>(chunks), static_cast<unsigned>(chunksPerColumn), shape, stream};
  return type == DataType::float32 ? launchForBeta<float>(work) : launchForBeta<__nv_bfloat16>(work);
}

}  // namespace alexnet::cuda
