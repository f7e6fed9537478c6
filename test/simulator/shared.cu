// Reverses 256 values through shared memory and sums each warp's. Its mutants are in mutants.test.ts.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <vector>

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) reverseKernel(const float* input, float* output, int count) {
  __shared__ float tile[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const int at = static_cast<int>(blockIdx.x) * kThreads + thread;
  tile[thread] = at < count ? input[at] : 0.0F;
  __syncthreads();
  float sum = tile[kThreads - 1 - thread];
  for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xffffffffU, sum, distance);
  if (at < count) output[at] = sum;
}

}  // namespace

int main() {
  constexpr int kCount = 1000;
  std::vector<float> host(kCount), result(kCount);
  for (int i = 0; i < kCount; ++i) host[static_cast<size_t>(i)] = static_cast<float>(i % 17);
  void *input, *output;
  cudaMalloc(&input, kCount * sizeof(float));
  cudaMalloc(&output, kCount * sizeof(float));
  cudaMemcpy(input, host.data(), kCount * sizeof(float), cudaMemcpyHostToDevice);
  const dim3 blocks((kCount + kThreads - 1) / kThreads), threads(kThreads);
  reverseKernel<<<blocks, threads>>>(static_cast<const float*>(input), static_cast<float*>(output), kCount);
  cudaMemcpy(result.data(), output, kCount * sizeof(float), cudaMemcpyDeviceToHost);
  std::printf("%s\n", cudaGetErrorName(cudaGetLastError()));
  for (const float value : result) std::printf("%g\n", static_cast<double>(value));
  return 0;
}
