// Prints the outcome and the bits of an LRN: lrn <type> <pixels> <channels> <columns> <size> <beta>
// Input [pixels, channels] is (i * 7919 % 1009 - 504) / 64, exact in bf16 too.
#include "cuda/lrn.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace alexnet;

float valueOf(size_t i) { return static_cast<float>(static_cast<int>(i * 7919 % 255) - 127) / 16; }

uint16_t toBfloat16(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return static_cast<uint16_t>(bits >> 16);
}

void run(char** options) {
  const DataType type = std::string(options[1]) == "bfloat16" ? DataType::bfloat16 : DataType::float32;
  const int64_t pixels = std::atoll(options[2]), channels = std::atoll(options[3]);
  LrnShape shape;
  shape.columns = std::atoll(options[4]);
  shape.size = std::atoll(options[5]);
  shape.beta = static_cast<float>(std::atof(options[6]));
  shape.alpha = 0.01F;
  shape.k = 2;
  const auto count = static_cast<size_t>(pixels * channels);
  const size_t bytes = count * static_cast<size_t>(sizeOf(type));
  std::vector<char> host(bytes), result(bytes);
  for (size_t i = 0; i < count; ++i) {
    if (type == DataType::float32)
      reinterpret_cast<float*>(host.data())[i] = valueOf(i);
    else
      reinterpret_cast<uint16_t*>(host.data())[i] = toBfloat16(valueOf(i));
  }
  void *input, *output;
  cudaStream_t stream;
  cudaMalloc(&input, bytes);
  cudaMalloc(&output, bytes);
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaMemcpyAsync(input, host.data(), bytes, cudaMemcpyHostToDevice, stream);
  cuda::lrnForward(type, input, output, pixels, channels, shape, stream);
  cudaMemcpyAsync(result.data(), output, bytes, cudaMemcpyDeviceToHost, stream);
  std::printf("%s\n", cudaGetErrorName(cudaStreamSynchronize(stream)));
  for (size_t i = 0; i < count; ++i) {
    const uint32_t bits = type == DataType::float32 ? reinterpret_cast<uint32_t*>(result.data())[i]
                                                    : uint32_t{reinterpret_cast<uint16_t*>(result.data())[i]} << 16;
    std::printf("%u\n", bits);
  }
}

}  // namespace

int main(int, char** options) {
  try {
    run(options);
  } catch (const alexnet::Error& error) {
    std::printf("%s: %s\n", error.code().c_str(), error.what());
  }
  return 0;
}
