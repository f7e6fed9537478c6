// Runs one PTX instruction on many inputs on a simulated GPU, and compares what comes back with what the host computes
// from the instruction's definition in plain C++. An instruction is a struct with
//   name                      its opcode
//   run(a, b, c)              the instruction, on the GPU
//   agrees(a, b, c, result)   on the host
// The macros below make one from an opcode, the types of its operands, and an expression of a, b and c.
#pragma once

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace alexnet::test {

// The C++ type and the letter of inline assembly for a PTX type.
using Type_b16 = uint16_t;
using Type_u16 = uint16_t;
using Type_s16 = int16_t;
using Type_b32 = uint32_t;
using Type_u32 = uint32_t;
using Type_s32 = int32_t;
using Type_b64 = uint64_t;
using Type_u64 = uint64_t;
using Type_s64 = int64_t;
using Type_f32 = float;
using Type_f64 = double;
#define LETTER_b16 "h"
#define LETTER_u16 "h"
#define LETTER_s16 "h"
#define LETTER_b32 "r"
#define LETTER_u32 "r"
#define LETTER_s32 "r"
#define LETTER_b64 "l"
#define LETTER_u64 "l"
#define LETTER_s64 "l"
#define LETTER_f32 "f"
#define LETTER_f64 "d"

using Check = bool (*)();
inline std::vector<Check>& checks() {
  static std::vector<Check> all;
  return all;
}

// Values at the edges of a type.
template <class T>
std::vector<T> specials() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    std::vector<T> values = {0,
                             1,
                             T(1.5),
                             T(0.5),
                             2,
                             T(2.5),
                             3,
                             T(1e-3),
                             T(1e9),
                             T(2147483648.0),
                             T(4294967296.0),
                             Limits::min(),
                             Limits::max(),
                             Limits::denorm_min(),
                             Limits::infinity(),
                             T(16777217.0)};
    const size_t count = values.size();
    for (size_t i = 0; i < count; ++i) values.push_back(-values[i]);
    values.push_back(Limits::quiet_NaN());
    return values;
  } else {
    constexpr int kBits = 8 * sizeof(T);
    std::vector<T> values = {T(0),
                             T(1),
                             T(2),
                             T(3),
                             T(7),
                             T(-1),
                             T(-2),
                             T(-7),
                             Limits::min(),
                             Limits::max(),
                             T(Limits::min() + 1),
                             T(Limits::max() - 1)};
    for (const int value : {15, 16, 31, 32, 33, 63, 64, 65, kBits - 1, kBits}) values.push_back(static_cast<T>(value));
    return values;
  }
}

// Bit patterns of all kinds; of floating-point numbers every second one is of moderate size, or few results were finite.
template <class T>
T randomValue(std::mt19937_64& random) {
  if constexpr (std::is_floating_point_v<T>) {
    if (random() % 2) return static_cast<T>(std::normal_distribution<double>(0, 3)(random));
  }
  const uint64_t bits = random();
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

template <class T>
void fill(std::vector<T>& values, size_t stride, std::mt19937_64& random) {
  const std::vector<T> edges = specials<T>();
  for (size_t i = 0; i < values.size(); ++i) {
    const bool edge = i < 1600;  // every pair of edges of a and b, some of c
    values[i] = edge ? edges[i / stride % edges.size()] : randomValue<T>(random);
  }
}

template <class Op>
__global__ void eachKernel(const typename Op::A* a, const typename Op::B* b, const typename Op::C* c,
                           typename Op::Result* results) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  results[i] = Op::run(a[i], b[i], c[i]);
}

template <class T>
T* onDevice(const std::vector<T>& values) {
  void* address = nullptr;
  cudaMalloc(&address, values.size() * sizeof(T));
  cudaMemcpy(address, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice);
  return static_cast<T*>(address);
}

template <class T>
bool fetch(std::vector<T>& values, const T* address) {
  return cudaMemcpy(values.data(), address, values.size() * sizeof(T), cudaMemcpyDeviceToHost) == cudaSuccess;
}

// The same bits, or both no number: which one is not specified.
template <class T>
bool same(T a, T b) {
  if (a != a || b != b) return a != a && b != b;
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

// Not further from `exact` than `within`. What has no size is exactly that; around the smallest normal number, where
// results may be flushed to zero, it is enough to be small.
template <class T>
bool isNear(T found, double exact, double within) {
  constexpr double kLeast = std::numeric_limits<T>::min();
  if (exact != exact || std::isinf(exact) || exact == 0) return same(found, static_cast<T>(exact));
  if (std::fabs(exact) > std::numeric_limits<T>::max()) return std::isinf(found) && (found > 0) == (exact > 0);
  if (std::fabs(exact) < 2 * kLeast) return std::fabs(found) <= 4 * kLeast;
  return std::fabs(found - exact) <= within;
}

template <class Op>
bool checkInstruction() {
  constexpr size_t kCount = 4096;
  std::mt19937_64 random(2012);
  std::vector<typename Op::A> a(kCount);
  std::vector<typename Op::B> b(kCount);
  std::vector<typename Op::C> c(kCount);
  std::vector<typename Op::Result> results(kCount);
  fill(a, 1, random), fill(b, 40, random), fill(c, 7, random);
  auto* const found = onDevice(results);
  eachKernel<Op><<<kCount / 128, 128>>>(onDevice(a), onDevice(b), onDevice(c), found);
  if (!fetch(results, found)) return std::printf("%s: %s\n", Op::name, cudaGetErrorString(cudaGetLastError())), false;
  for (size_t i = 0; i < kCount; ++i) {
    if (Op::agrees(a[i], b[i], c[i], results[i])) continue;
    std::printf("%s of %.17g, %.17g, %.17g is wrong: %.17g\n", Op::name, double(a[i]), double(b[i]), double(c[i]),
                double(results[i]));
    return false;
  }
  std::printf("%s\n", Op::name);
  return true;
}

#define JOINED_(a, b) a##b
#define JOINED(a, b) JOINED_(a, b)
// RESULT, FIRST, SECOND, THIRD: types, as PTX names them. AGREES: an expression of a, b, c and the result d. Then the
// inline assembly.
#define INSTRUCTION(OPCODE, RESULT, FIRST, SECOND, THIRD, AGREES, ...)                                                \
  struct JOINED(Instruction, __LINE__) {                                                                              \
    using A = Type_##FIRST;                                                                                           \
    using B = Type_##SECOND;                                                                                          \
    using C = Type_##THIRD;                                                                                           \
    using Result = Type_##RESULT;                                                                                     \
    static constexpr const char* name = OPCODE;                                                                       \
    __device__ static Result run([[maybe_unused]] A a, [[maybe_unused]] B b, [[maybe_unused]] C c) {                  \
      Result d;                                                                                                       \
      asm volatile(__VA_ARGS__);                                                                                      \
      return d;                                                                                                       \
    }                                                                                                                 \
    static bool agrees([[maybe_unused]] A a, [[maybe_unused]] B b, [[maybe_unused]] C c, Result d) { return AGREES; } \
  };                                                                                                                  \
  const bool JOINED(isKnown, __LINE__) = (checks().push_back(checkInstruction<JOINED(Instruction, __LINE__)>), true)

// The result has the bits of EXPECTED.
#define EXACT(TYPE, EXPECTED) same<Type_##TYPE>(d, static_cast<Type_##TYPE>(EXPECTED))
#define UNARY(OPCODE, RESULT, FIRST, EXPECTED)                                                \
  INSTRUCTION(OPCODE, RESULT, FIRST, FIRST, FIRST, EXACT(RESULT, EXPECTED), OPCODE " %0, %1;" \
              : "=" LETTER_##RESULT(d)                                                        \
              : LETTER_##FIRST(a))
#define BINARY(OPCODE, RESULT, FIRST, SECOND, EXPECTED)                                             \
  INSTRUCTION(OPCODE, RESULT, FIRST, SECOND, SECOND, EXACT(RESULT, EXPECTED), OPCODE " %0, %1, %2;" \
              : "=" LETTER_##RESULT(d)                                                              \
              : LETTER_##FIRST(a), LETTER_##SECOND(b))
#define TERNARY(OPCODE, RESULT, FIRST, SECOND, THIRD, EXPECTED)                                        \
  INSTRUCTION(OPCODE, RESULT, FIRST, SECOND, THIRD, EXACT(RESULT, EXPECTED), OPCODE " %0, %1, %2, %3;" \
              : "=" LETTER_##RESULT(d)                                                                 \
              : LETTER_##FIRST(a), LETTER_##SECOND(b), LETTER_##THIRD(c))
// An instruction that sets a predicate from a and b.
#define COMPARISON(OPCODE, TYPE, EXPECTED)                                    \
  INSTRUCTION(OPCODE, u32, TYPE, TYPE, TYPE, d == ((EXPECTED) ? 1U : 0U),     \
              "{ .reg .pred p; " OPCODE " p, %1, %2; selp.u32 %0, 1, 0, p; }" \
              : "=r"(d)                                                       \
              : LETTER_##TYPE(a), LETTER_##TYPE(b))
// A function of a that is not further from EXACTLY, in double precision, than WITHIN.
#define NEAR(OPCODE, TYPE, EXACTLY, WITHIN)                                                 \
  INSTRUCTION(OPCODE, TYPE, TYPE, TYPE, TYPE, isNear(d, EXACTLY, WITHIN), OPCODE " %0, %1;" \
              : "=" LETTER_##TYPE(d)                                                        \
              : LETTER_##TYPE(a))

}  // namespace alexnet::test
