// A sum over all blocks of a launch, as it should be and with mistakes:
//   blocks <variant>
// prints the sum of 1 .. 1,024, or why there is none.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

constexpr int kThreads = 64;
constexpr int kBlocks = 16;

enum class Variant { lastBlock, noFenceBefore, noFenceAfter, fenceOfBlock, readOnly };

__device__ int sumOfBlock(const int* input) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, input[blockIdx.x * kThreads + threadIdx.x]);
  __syncthreads();
  return sum;
}

// The block that comes last adds up what all have written.
template <Variant kVariant>
__global__ void lastBlockKernel(const int* input, int* partials, unsigned* finished, int* output) {
  __shared__ bool last;
  const int sum = sumOfBlock(input);
  if (threadIdx.x == 0) {
    partials[blockIdx.x] = sum;
    if (kVariant == Variant::fenceOfBlock) __threadfence_block();
    if (kVariant != Variant::noFenceBefore && kVariant != Variant::fenceOfBlock) __threadfence();
    last = atomicAdd(finished, 1U) == gridDim.x - 1;
    if (kVariant != Variant::noFenceAfter) __threadfence();
  }
  __syncthreads();
  if (!last || threadIdx.x > 0) return;
  int total = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) {
    total += kVariant == Variant::readOnly ? __ldg(partials + i) : partials[i];
  }
  *output = total;
}

__global__ void atomicKernel(const int* input, int* output) {
  const int sum = sumOfBlock(input);
  if (threadIdx.x == 0) atomicAdd(output, sum);
}

__global__ void everyBlockKernel(const int* input, int* output) {
  const int sum = sumOfBlock(input);
  if (threadIdx.x == 0) *output += sum;
}

// Neighbouring blocks write bytes of the same word: none of them touches another's.
__global__ void bytesKernel(unsigned char* output) {
  if (threadIdx.x == 0) output[blockIdx.x] = static_cast<unsigned char>(blockIdx.x);
}

template <class T>
T* onDevice(const std::vector<T>& values) {
  T* result = nullptr;
  cudaMalloc(&result, values.size() * sizeof(T));
  cudaMemcpy(result, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice);
  return result;
}

void launch(const char* variant, const int* input, int* output) {
  int* const partials = onDevice(std::vector<int>(kBlocks, -1));
  unsigned* const finished = onDevice(std::vector<unsigned>(1));
  const auto is = [variant](const char* name) { return std::strcmp(variant, name) == 0; };
#define ALEXNET_LAST_BLOCK(name, kind) \
  if (is(name)) lastBlockKernel<Variant::kind><<<kBlocks, kThreads>>>(input, partials, finished, output)
  ALEXNET_LAST_BLOCK("last block", lastBlock);
  ALEXNET_LAST_BLOCK("no fence before", noFenceBefore);
  ALEXNET_LAST_BLOCK("no fence after", noFenceAfter);
  ALEXNET_LAST_BLOCK("fence of a block", fenceOfBlock);
  ALEXNET_LAST_BLOCK("read-only", readOnly);
#undef ALEXNET_LAST_BLOCK
  if (is("atomics")) atomicKernel<<<kBlocks, kThreads>>>(input, output);
  if (is("every block")) everyBlockKernel<<<kBlocks, kThreads>>>(input, output);
}

}  // namespace

int main(int, char** options) {
  std::vector<int> numbers(kBlocks * kThreads);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i) + 1;
  int* const output = onDevice(std::vector<int>(1));
  launch(options[1], onDevice(numbers), output);
  bytesKernel<<<kBlocks, kThreads>>>(onDevice(std::vector<unsigned char>(kBlocks)));
  int sum = 0;
  const cudaError_t status = cudaMemcpy(&sum, output, sizeof(sum), cudaMemcpyDeviceToHost);
  if (status == cudaSuccess) {
    std::printf("%d\n", sum);
  } else {
    std::printf("%s\n", cudaGetErrorString(status));
  }
  return status == cudaSuccess ? 0 : 1;
}
