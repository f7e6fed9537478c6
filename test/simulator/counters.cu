// Kernels whose instructions, wavefronts and sectors are known by hand: counters.slow.test.ts says how many. Two blocks of
// two warps, each of which reads what the others read and writes what is its own.
#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr int kBlocks = 2, kThreads = 64;

__device__ uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// The sum is written, so that no load is in vain. 256-byte alignment of `input` is what cudaMalloc gives.
__global__ void globalKernel(const float* input, float* output, int* count) {
  const unsigned lane = threadIdx.x % 32;
  float sum = 0;
  sum += input[lane];                                                // all neighbours
  sum += input[lane + 1];                                            // not from a sector's start on
  sum += input[lane * 2];                                            // every second float
  sum += input[lane * 8];                                            // one of each sector
  sum += input[lane / 16 * 64];                                      // the same for many
  const float4 four = reinterpret_cast<const float4*>(input)[lane];  // 16 bytes each
  sum += four.x + four.y + four.z + four.w;
  if (lane < 5) sum += input[lane + 256];  // some lanes
  atomicAdd(count, 1);
  output[blockIdx.x * kThreads + threadIdx.x] = sum;  // own
}

__global__ void sharedKernel(uint32_t* output) {
  __shared__ __align__(128) uint32_t words[2][1024];
  uint32_t* const own = words[threadIdx.x / 32];
  const unsigned lane = threadIdx.x % 32;
  const uint32_t start = sharedAddress(own);
  for (unsigned i = 0; i < 1024; i += 32) own[i + lane] = i;  // neighbours, 32 times
  __syncthreads();
  uint32_t a, b, c, d, sum = 0;
#define ALEXNET_LOAD(BYTES)                                                            \
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(a) : "r"(start + (BYTES)) : "memory"); \
  sum += a
  ALEXNET_LOAD(lane * 8);      // every second word
  ALEXNET_LOAD(lane * 128);    // one bank
  ALEXNET_LOAD(lane % 4 * 4);  // few words
  ALEXNET_LOAD(lane * 12);     // every third word
#define ALEXNET_LOAD_MORE(BYTES)                          \
  asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];" \
               : "=r"(a), "=r"(b), "=r"(c), "=r"(d)       \
               : "r"(start + (BYTES))                     \
               : "memory");                               \
  sum += a + b + c + d
  ALEXNET_LOAD_MORE(lane * 16);  // 16 bytes side by side
  ALEXNET_LOAD_MORE(lane * 32);  // 16 of 32 bytes
#define ALEXNET_LOAD_MATRICES(PITCH)                                              \
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" \
               : "=r"(a), "=r"(b), "=r"(c), "=r"(d)                               \
               : "r"(start + lane * (PITCH))                                      \
               : "memory");                                                       \
  sum += a + b + c + d
  ALEXNET_LOAD_MATRICES(64);  // close rows
  ALEXNET_LOAD_MATRICES(80);  // rows with gaps
#define ALEXNET_STORE(BYTES) \
  __syncthreads();           \
  asm volatile("st.shared.v2.b32 [%0], {%1, %1};" ::"r"(start + (BYTES)), "r"(sum) : "memory")
  ALEXNET_STORE(lane * 8);   // 8 bytes side by side
  ALEXNET_STORE(lane * 16);  // 8 of 16 bytes
  output[blockIdx.x * kThreads + threadIdx.x] = sum;
}

__global__ void copyKernel(const uint32_t* input, uint32_t* output) {
  __shared__ __align__(128) uint32_t words[2][1024];
  const unsigned lane = threadIdx.x % 32;
  const uint32_t start = sharedAddress(words[threadIdx.x / 32]);
#define ALEXNET_COPY(FROM, TO, READ)                                                                               \
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(start + (TO)), "l"(input + (FROM)), "r"(READ) \
               : "memory")
  ALEXNET_COPY(lane * 4, lane * 16, 16);        // side by side
  ALEXNET_COPY(lane * 8, 512 + lane * 80, 16);  // every second 16 bytes, to rows of 80 bytes
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncthreads();
  ALEXNET_COPY(lane * 4, lane * 128, lane % 2 * 16);  // every second lane reads nothing; one bank
  asm volatile("cp.async.wait_all;" ::: "memory");
  output[blockIdx.x * kThreads + threadIdx.x] = words[threadIdx.x / 32][lane * 32];
}

__global__ void arithmeticKernel(float* output, int rounds) {
  float sum = threadIdx.x;
  float c[4] = {};
  for (int i = 0; i < rounds; ++i) {
    asm volatile("fma.rn.f32 %0, %0, %0, %0;" : "+f"(sum));
    asm volatile("fma.rn.f32 %0, %0, %0, %0;" : "+f"(sum));
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %4, %4, %4}, {%4, %4}, {%0, %1, "
        "%2, "
        "%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(0x3f803f80));
    __syncthreads();
  }
  if (threadIdx.x < 32) asm volatile("fma.rn.f32 %0, %0, %0, %0;" : "+f"(sum));  // one warp of two
  output[blockIdx.x * kThreads + threadIdx.x] = sum + c[0];
}

template <class T>
T* onDevice(size_t count) {
  void* result = nullptr;
  const std::vector<T> values(count);
  cudaMalloc(&result, count * sizeof(T));
  cudaMemcpy(result, values.data(), count * sizeof(T), cudaMemcpyHostToDevice);
  return static_cast<T*>(result);
}

}  // namespace

int main() {
  auto* const input = onDevice<float>(1024);
  auto* const output = onDevice<float>(kBlocks * kThreads);
  auto* const words = reinterpret_cast<uint32_t*>(output);
  globalKernel<<<kBlocks, kThreads>>>(input, output, onDevice<int>(1));
  sharedKernel<<<kBlocks, kThreads>>>(words);
  copyKernel<<<kBlocks, kThreads>>>(reinterpret_cast<const uint32_t*>(input), words);
  arithmeticKernel<<<kBlocks, kThreads>>>(output, 7);
  arithmeticKernel<<<kBlocks, kThreads>>>(output, 7);
  arithmeticKernel<<<kBlocks * 2, kThreads>>>(onDevice<float>(kBlocks * 2 * kThreads), 1);
  float last = 0;
  const cudaError_t status = cudaMemcpy(&last, output, sizeof(last), cudaMemcpyDeviceToHost);
  if (status != cudaSuccess) std::printf("%s\n", cudaGetErrorString(status));
  return status == cudaSuccess ? 0 : 1;
}
