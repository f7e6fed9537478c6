// Two devices: cuda:0 computes, a copy takes the result to cuda:1 on a stream of its own, cuda:1 computes with it. Twice,
// so that the second copy must wait until the landing buffer is free. The option names what is left out.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

constexpr int kCount = 4096;
constexpr size_t kBytes = kCount * sizeof(float);

__global__ void addKernel(const float* input, float* output, float value) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  output[i] = input[i] + value;
}

struct Board {
  int index;
  cudaStream_t stream;
  float *input, *output;
};

Board boardOf(int index) {
  Board board{index, nullptr, nullptr, nullptr};
  cudaSetDevice(index);
  cudaStreamCreateWithFlags(&board.stream, cudaStreamNonBlocking);
  cudaMalloc(reinterpret_cast<void**>(&board.input), kBytes);
  cudaMalloc(reinterpret_cast<void**>(&board.output), kBytes);
  return board;
}

void add(const Board& board, const float* input, float value) {
  cudaSetDevice(board.index);
  addKernel<<<dim3(kCount / 256), dim3(256), 0, board.stream>>>(input, board.output, value);
}

void exchange(const char* without) {
  const auto leaves = [without](const char* what) { return std::strcmp(without, what) == 0; };
  float *host, *result;
  cudaHostAlloc(reinterpret_cast<void**>(&host), kBytes, 0);
  cudaHostAlloc(reinterpret_cast<void**>(&result), kBytes, 0);
  for (int i = 0; i < kCount; ++i) host[i] = static_cast<float>(i);
  const Board first = boardOf(0), second = boardOf(1);
  cudaStream_t copies;
  cudaSetDevice(0);
  cudaStreamCreateWithFlags(&copies, cudaStreamNonBlocking);
  cudaEvent_t ready, arrived, consumed;
  for (cudaEvent_t* event : {&ready, &arrived, &consumed}) cudaEventCreateWithFlags(event, cudaEventDisableTiming);
  if (leaves("the source's address")) add(second, first.input, 1);
  cudaMemcpyAsync(first.input, host, kBytes, cudaMemcpyHostToDevice, first.stream);
  if (leaves("the wait for the upload")) std::memset(host, 0, kBytes);
  for (int round = 0; round < 2; ++round) {
    if (round > 0) cudaStreamWaitEvent(first.stream, ready, 0);
    add(first, first.input, static_cast<float>(round));
    cudaEventRecord(ready, first.stream);
    if (!leaves("ready")) cudaStreamWaitEvent(copies, ready, 0);
    if (!leaves("consumed")) cudaStreamWaitEvent(copies, consumed, 0);
    if (leaves("the order of record and wait")) cudaStreamWaitEvent(second.stream, arrived, 0);
    cudaMemcpyPeerAsync(second.input, 1, first.output, 0, kBytes, copies);
    cudaEventRecord(arrived, copies);
    cudaEventRecord(ready, copies);
    if (!leaves("arrived") && !leaves("the order of record and wait")) cudaStreamWaitEvent(second.stream, arrived, 0);
    add(second, second.input, 1);
    cudaEventRecord(consumed, second.stream);
  }
  cudaMemcpyAsync(result, second.output, kBytes, cudaMemcpyDeviceToHost, second.stream);
  std::printf("%s\n", cudaGetErrorName(cudaStreamSynchronize(second.stream)));
  for (int i = 0; i < kCount; ++i) std::printf("%g\n", static_cast<double>(result[i]));
}

}  // namespace

int main(int count, char** options) {
  exchange(count > 1 ? options[1] : "nothing");
  return 0;
}
