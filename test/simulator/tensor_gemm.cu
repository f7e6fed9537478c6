// A product on tensor cores, right and with mistakes:
//   tensor_gemm <mistake or none> <rows or deep>
// prints whether the result is right, or why there is none. See tensor_gemm.cuh.
#include "tensor_gemm.cuh"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

using namespace alexnet::test;

namespace {

constexpr int kM = 200, kN = 88, kK = 152;  // no multiples of the tile and of the step

float fromBfloat16(uint16_t bits) {
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

std::vector<uint16_t> randomMatrix(size_t count, std::mt19937& random) {
  std::vector<uint16_t> values(count);
  std::normal_distribution<float> normal;
  for (uint16_t& value : values) {
    const float single = normal(random);
    uint32_t word;
    std::memcpy(&word, &single, 4);
    value = static_cast<uint16_t>(word >> 16);
  }
  return values;
}

template <class T>
T* onDevice(const std::vector<T>& values) {
  T* result = nullptr;
  cudaMalloc(&result, values.size() * sizeof(T));
  cudaMemcpy(result, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice);
  return result;
}

template <bool kDeep, Mistake kMistake>
void launch(const Matrices& matrices) {
  auto* const kernel = gemmKernel<kDeep, kMistake>;
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kStages * kStageBytes);
  const dim3 grid((kM + kTileRows - 1) / kTileRows, (kN + kTileColumns - 1) / kTileColumns);
  kernel<<<grid, kGemmThreads, kStages * kStageBytes>>>(matrices);
}

bool launchNamed(const char* mistake, bool deep, const Matrices& matrices) {
#define ALEXNET_MISTAKE(name)                                                              \
  if (std::strcmp(mistake, #name) == 0) {                                                  \
    deep ? launch<true, Mistake::name>(matrices) : launch<false, Mistake::name>(matrices); \
    return true;                                                                           \
  }
  ALEXNET_EACH_MISTAKE(ALEXNET_MISTAKE)
#undef ALEXNET_MISTAKE
  return false;
}

// Within what the sums of each group of 8 products may lose, chopped or not.
bool isRight(const std::vector<uint16_t>& a, const std::vector<uint16_t>& b, bool deep, const std::vector<float>& c) {
  for (size_t m = 0; m < kM; ++m) {
    for (size_t n = 0; n < kN; ++n) {
      double sum = 0, size = 0;
      for (size_t k = 0; k < kK; ++k) {
        const double product = static_cast<double>(fromBfloat16(a[m * kK + k])) *
                               static_cast<double>(fromBfloat16(deep ? b[k * kN + n] : b[n * kK + k]));
        sum += product;
        size += std::fabs(product);
      }
      if (!(std::fabs(c[m * kN + n] - sum) <= kK / 8 * 10 * 0x1p-23 * size)) return false;
    }
  }
  return true;
}

}  // namespace

int main(int count, char** options) {
  if (count != 3) return 2;
  const bool deep = std::strcmp(options[2], "deep") == 0;
  std::mt19937 random(2012);
  const auto a = randomMatrix(kM * kK, random), b = randomMatrix(kK * kN, random);
  std::vector<float> c(kM * kN);
  float* output = nullptr;
  cudaMalloc(&output, c.size() * sizeof(float));
  if (!launchNamed(options[1], deep, {onDevice(a), onDevice(b), output, kM, kN, kK})) return 2;
  const cudaError_t status = cudaMemcpy(c.data(), output, c.size() * sizeof(float), cudaMemcpyDeviceToHost);
  if (status != cudaSuccess) {
    std::printf("%s\n", cudaGetErrorString(status));
    return 1;
  }
  std::printf(isRight(a, b, deep, c) ? "right\n" : "wrong\n");
  return 0;
}
