// mma.sync, ldmatrix and cp.async against what the PTX manual says of fragments and copies, in plain C++. Prints each
// opcode that is right. With ALEXNET_SIMULATED_MMA=chopped products are expected as README.md says of it.
#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using Words = std::vector<uint32_t>;
constexpr size_t kLanes = 32;

float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

uint32_t* onDevice(const Words& words) {
  void* result = nullptr;
  cudaMalloc(&result, words.size() * 4);
  cudaMemcpy(result, words.data(), words.size() * 4, cudaMemcpyHostToDevice);
  return static_cast<uint32_t*>(result);
}

Words fetched(const uint32_t* from, size_t count) {
  Words words(count);
  if (cudaMemcpy(words.data(), from, count * 4, cudaMemcpyDeviceToHost) != cudaSuccess) words.clear();
  return words;
}

bool report(const std::string& name, const Words& found, const Words& expected,
            const std::function<bool(uint32_t, uint32_t)>& same = std::equal_to<uint32_t>()) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i < found.size() && same(found[i], expected[i])) continue;
    std::printf("%s is wrong: result %zu is %08x, not %08x\n", name.c_str(), i, i < found.size() ? found[i] : 0,
                expected[i]);
    return false;
  }
  std::printf("%s\n", name.c_str());
  return true;
}

// --- mma.sync ---

// A warp's registers: 4 of a, 2 of b, 4 of c, each 32 lanes.
constexpr size_t kA = 0, kB = 4, kC = 6, kRegisters = 10;

#define ALEXNET_MMA_KERNEL(NAME, OPCODE)                                                                         \
  __global__ void NAME(const uint32_t* input, float* output) {                                                   \
    uint32_t r[kRegisters];                                                                                      \
    for (size_t i = 0; i < kRegisters; ++i) r[i] = input[(blockIdx.x * kRegisters + i) * kLanes + threadIdx.x];  \
    float d[4];                                                                                                  \
    asm volatile(OPCODE " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"                   \
                 : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])                                                \
                 : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "r"(r[4]), "r"(r[5]), "f"(__uint_as_float(r[6])), \
                   "f"(__uint_as_float(r[7])), "f"(__uint_as_float(r[8])), "f"(__uint_as_float(r[9])));          \
    for (size_t i = 0; i < 4; ++i) output[(blockIdx.x * 4 + i) * kLanes + threadIdx.x] = d[i];                   \
  }
ALEXNET_MMA_KERNEL(bfloat16Kernel, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32")
ALEXNET_MMA_KERNEL(tf32Kernel, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32")
#undef ALEXNET_MMA_KERNEL

struct Element {
  size_t row, column;
};

// Where the manual says that element i of a lane lies. For m16n8k16 i counts the halves of the registers.
struct Bfloat16 {
  static constexpr size_t kDepth = 16, kGroup = 8, kPacked = 2;
  static Element left(size_t lane, size_t i) {
    return {lane / 4 + (i < 2 || (i >= 4 && i < 6) ? 0 : 8), lane % 4 * 2 + (i & 1) + (i < 4 ? 0 : 8)};
  }
  static Element right(size_t lane, size_t i) { return {lane % 4 * 2 + (i & 1) + (i < 2 ? 0 : 8), lane / 4}; }
  static float value(uint32_t word, size_t i) { return floatOf((word >> (i & 1) * 16 & 0xffff) << 16); }
};

struct Tf32 {
  static constexpr size_t kDepth = 8, kGroup = 4, kPacked = 1;
  static Element left(size_t lane, size_t i) {
    return {lane / 4 + (i == 0 || i == 2 ? 0 : 8), lane % 4 + (i < 2 ? 0 : 4)};
  }
  static Element right(size_t lane, size_t i) { return {lane % 4 + (i == 0 ? 0 : 4), lane / 4}; }
  static float value(uint32_t word, size_t) { return floatOf(word & ~0x1fffU); }
};

Element ofSum(size_t lane, size_t i) { return {lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + (i & 1)}; }

// c plus the products of a group: cut to multiples of 2^-23 of the largest's power of two, then the sum to 24 bits.
float chopped(const std::vector<double>& terms) {
  double largest = 0, plain = 0;
  for (const double term : terms) largest = std::fmax(largest, std::fabs(term)), plain += term;
  if (!std::isfinite(plain)) return static_cast<float>(plain);
  if (largest == 0) return static_cast<float>(plain);
  const double unit = std::ldexp(1.0, std::max(std::ilogb(largest) - 23, -149));
  double sum = 0;
  for (const double term : terms) sum += std::trunc(term / unit) * unit;
  if (sum == 0) return static_cast<float>(sum);
  const double last = std::ldexp(1.0, std::max(std::ilogb(sum) - 23, -149));
  return static_cast<float>(std::trunc(sum / last) * last);
}

template <class Format>
Words products(const Words& input, bool isChopped) {
  const size_t warps = input.size() / kRegisters / kLanes;
  Words result(warps * 4 * kLanes);
  for (size_t warp = 0; warp < warps; ++warp) {
    const uint32_t* registers = &input[warp * kRegisters * kLanes];
    float a[16][Format::kDepth], b[Format::kDepth][8];
    for (size_t lane = 0; lane < kLanes; ++lane) {
      for (size_t i = 0; i < 4 * Format::kPacked; ++i) {
        const Element at = Format::left(lane, i);
        a[at.row][at.column] = Format::value(registers[(kA + i / Format::kPacked) * kLanes + lane], i);
      }
      for (size_t i = 0; i < 2 * Format::kPacked; ++i) {
        const Element at = Format::right(lane, i);
        b[at.row][at.column] = Format::value(registers[(kB + i / Format::kPacked) * kLanes + lane], i);
      }
    }
    for (size_t lane = 0; lane < kLanes; ++lane) {
      for (size_t i = 0; i < 4; ++i) {
        const Element at = ofSum(lane, i);
        float sum = floatOf(registers[(kC + i) * kLanes + lane]);
        for (size_t first = 0; isChopped && first < Format::kDepth; first += Format::kGroup) {
          std::vector<double> terms = {sum};
          for (size_t k = first; k < first + Format::kGroup; ++k)
            terms.push_back(static_cast<double>(a[at.row][k]) * static_cast<double>(b[k][at.column]));
          sum = chopped(terms);
        }
        for (size_t k = 0; !isChopped && k < Format::kDepth; ++k) sum = std::fma(a[at.row][k], b[k][at.column], sum);
        result[(warp * 4 + i) * kLanes + lane] = bitsOf(sum);
      }
    }
  }
  return result;
}

// Moderate numbers; numbers of all sizes; zeros, subnormals and numbers close to the largest; now and then what is none.
uint32_t randomFloat(std::mt19937& random, size_t kind) {
  if (kind == 0) return bitsOf(std::normal_distribution<float>()(random));
  if (kind == 1)
    return bitsOf(std::ldexp(std::normal_distribution<float>()(random), static_cast<int>(random() % 80) - 40));
  constexpr float kEdges[] = {0, -0.0F, 1e-40F, -1e-39F, 1e-38F, 1, -1, 3e38F, -3e38F, 1e-20F, 1e19F};
  if (kind == 2 || random() % 32 != 0) return bitsOf(kEdges[random() % std::size(kEdges)]);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNone[] = {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  return bitsOf(kNone[random() % std::size(kNone)]);
}

bool sameFloat(uint32_t a, uint32_t b) { return a == b || (std::isnan(floatOf(a)) && std::isnan(floatOf(b))); }

template <class Format>
bool multiplies(const char* opcode, void (*kernel)(const uint32_t*, float*)) {
  constexpr size_t kWarps = 256;
  std::mt19937 random(2012);
  Words input(kWarps * kRegisters * kLanes);
  for (size_t i = 0; i < input.size(); ++i) {
    const size_t kind = i / kRegisters / kLanes % 4, index = i / kLanes % kRegisters;
    input[i] = randomFloat(random, kind);
    if (Format::kPacked == 2 && index < kC) input[i] = input[i] >> 16 | (randomFloat(random, kind) & 0xffff0000U);
  }
  uint32_t* const output = onDevice(Words(kWarps * 4 * kLanes));
  kernel<<<kWarps, kLanes>>>(onDevice(input), reinterpret_cast<float*>(output));
  const char* setting = std::getenv("ALEXNET_SIMULATED_MMA");
  const bool isChopped = setting != nullptr && std::strcmp(setting, "chopped") == 0;
  return report(opcode, fetched(output, kWarps * 4 * kLanes), products<Format>(input, isChopped), sameFloat);
}

// --- ldmatrix ---

constexpr uint32_t kRowBytes = 48;  // of which 16 are read

__device__ uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Row i of the matrices is row 5 i + 3 modulo 32 of the input. Lanes that name none have an address of nothing.
#define ALEXNET_LOAD_KERNEL(NAME, COUNT, OPCODE, ...)                                                                \
  __global__ void NAME(const uint32_t* input, uint32_t* output) {                                                    \
    __shared__ __align__(16) uint32_t rows[32 * kRowBytes / 4];                                                      \
    for (unsigned i = threadIdx.x; i < 32 * kRowBytes / 4; i += 32) rows[i] = input[i];                              \
    __syncwarp();                                                                                                    \
    const bool named = threadIdx.x < 8 * COUNT;                                                                      \
    const uint32_t row = sharedAddress(rows) + (threadIdx.x * 5 + 3) % 32 * kRowBytes;                               \
    uint32_t r[4] = {};                                                                                              \
    asm volatile(OPCODE " " __VA_ARGS__ : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(named ? row : ~15U)); \
    for (unsigned i = 0; i < COUNT; ++i) output[i * 32 + threadIdx.x] = r[i];                                        \
  }
#define ALEXNET_LOAD_KERNELS(NAME, X)                                                                   \
  ALEXNET_LOAD_KERNEL(NAME##One, 1, "ldmatrix.sync.aligned.m8n8.x1" X ".shared.b16", "{%0}, [%4];")     \
  ALEXNET_LOAD_KERNEL(NAME##Two, 2, "ldmatrix.sync.aligned.m8n8.x2" X ".shared.b16", "{%0, %1}, [%4];") \
  ALEXNET_LOAD_KERNEL(NAME##Four, 4, "ldmatrix.sync.aligned.m8n8.x4" X ".shared.b16", "{%0, %1, %2, %3}, [%4];")
ALEXNET_LOAD_KERNELS(load, "")
ALEXNET_LOAD_KERNELS(loadTransposed, ".trans")
#undef ALEXNET_LOAD_KERNELS
#undef ALEXNET_LOAD_KERNEL

bool loads(size_t count, bool transposed, void (*kernel)(const uint32_t*, uint32_t*)) {
  std::mt19937 random(2012);
  Words input(32 * kRowBytes / 4), expected(count * kLanes);
  for (uint32_t& word : input) word = random();
  const auto element = [&](size_t matrix, size_t row, size_t column) {
    const size_t byte = ((matrix * 8 + row) * 5 + 3) % 32 * kRowBytes + column * 2;
    return input[byte / 4] >> byte % 4 * 8 & 0xffff;
  };
  for (size_t matrix = 0; matrix < count; ++matrix) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      uint32_t halves[2];
      for (size_t i = 0; i < 2; ++i) {
        const size_t along = lane % 4 * 2 + i;
        halves[i] = transposed ? element(matrix, along, lane / 4) : element(matrix, lane / 4, along);
      }
      expected[matrix * kLanes + lane] = halves[1] << 16 | halves[0];
    }
  }
  uint32_t* const output = onDevice(Words(expected.size()));
  kernel<<<1, kLanes>>>(onDevice(input), output);
  const std::string name =
      "ldmatrix.sync.aligned.m8n8.x" + std::to_string(count) + (transposed ? ".trans" : "") + ".shared.b16";
  return report(name, fetched(output, expected.size()), expected);
}

// --- cp.async ---

// Each thread copies 16 bytes of its own from `input` in pieces of kBytes, of which it asks for `asked`, or for all.
enum class Source { whole, some, ignored };

template <int kBytes, Source kSource>
__global__ void copyKernel(const uint32_t* input, const uint32_t* asked, uint32_t* output) {
  __shared__ __align__(16) uint32_t place[64 * 4];
  const auto* from = reinterpret_cast<const unsigned char*>(input + threadIdx.x * 4);
  const uint32_t to = sharedAddress(place + threadIdx.x * 4);
  for (int i = 0; i < 16; i += kBytes) {
    const uint32_t bytes = asked[threadIdx.x * 4 + i / 4];
    const void* source = bytes == 0 ? nullptr : from + i;
    if constexpr (kSource == Source::whole) {
      asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to + i), "l"(from + i), "n"(kBytes) : "memory");
    } else if constexpr (kSource == Source::some) {
      asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to + i), "l"(source), "n"(kBytes), "r"(bytes)
                   : "memory");
    } else {
      asm volatile(
          "{ .reg .pred ignored; setp.eq.u32 ignored, %3, 0; cp.async.ca.shared.global [%0], [%1], %2, ignored; }" ::
              "r"(to + i),
          "l"(source), "n"(kBytes), "r"(bytes)
          : "memory");
    }
  }
  asm volatile("cp.async.wait_all;" ::: "memory");
  for (int i = 0; i < 4; ++i) output[threadIdx.x * 4 + i] = place[threadIdx.x * 4 + i];
}

template <int kBytes, Source kSource>
bool copies(const char* name) {
  std::mt19937 random(2012);
  Words input(64 * 4), asked(64 * 4), expected(64 * 4, 0);
  for (size_t i = 0; i < input.size(); ++i) {
    input[i] = random();
    asked[i] = kSource == Source::some ? random() % (kBytes + 1) : random() % 2 * kBytes;
  }
  for (size_t byte = 0; byte < input.size() * 4; ++byte) {
    const size_t within = byte % kBytes;
    const bool read = kSource == Source::whole || within < asked[(byte - within) / 4];
    if (read) expected[byte / 4] |= input[byte / 4] & 0xffU << byte % 4 * 8;
  }
  uint32_t* const output = onDevice(Words(64 * 4));
  copyKernel<kBytes, kSource><<<1, 64>>>(onDevice(input), onDevice(asked), output);
  return report(name, fetched(output, expected.size()), expected);
}

// Three groups and a copy that belongs to none; after each wait the thread reads what it may.
__global__ void groupsKernel(const uint32_t* input, uint32_t* output) {
  __shared__ __align__(16) uint32_t place[32][16];
  const unsigned lane = threadIdx.x;
  for (unsigned group = 0; group < 4; ++group) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1+16], 16;" ::"r"(sharedAddress(&place[lane][group * 4])),
                 "l"(input + (lane * 4 + group) * 4 - 4)
                 : "memory");
    if (group < 3) asm volatile("cp.async.commit_group;" ::: "memory");
  }
  const auto write = [&](unsigned group) {
    for (unsigned i = group * 4; i < group * 4 + 4; ++i) output[lane * 16 + i] = place[lane][i];
  };
  asm volatile("cp.async.wait_group 2;" ::: "memory");
  write(0);
  asm volatile("cp.async.wait_group 0;" ::: "memory");
  write(1);
  write(2);
  asm volatile("cp.async.commit_group;" ::: "memory");
  asm volatile("cp.async.wait_group 0;" ::: "memory");
  write(3);
}

bool groups() {
  std::mt19937 random(2012);
  Words input(32 * 16);
  for (uint32_t& word : input) word = random();
  uint32_t* const output = onDevice(Words(input.size()));
  groupsKernel<<<1, 32>>>(onDevice(input), output);
  return report("cp.async.commit_group and wait_group", fetched(output, input.size()), input);
}

}  // namespace

int main() {
  bool right = multiplies<Bfloat16>("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", bfloat16Kernel);
  right = multiplies<Tf32>("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", tf32Kernel) && right;
  right = loads(1, false, loadOne) && right;
  right = loads(2, false, loadTwo) && right;
  right = loads(4, false, loadFour) && right;
  right = loads(1, true, loadTransposedOne) && right;
  right = loads(2, true, loadTransposedTwo) && right;
  right = loads(4, true, loadTransposedFour) && right;
  right = copies<4, Source::whole>("cp.async of 4 bytes") && right;
  right = copies<8, Source::whole>("cp.async of 8 bytes") && right;
  right = copies<16, Source::whole>("cp.async of 16 bytes") && right;
  right = copies<4, Source::some>("cp.async of up to 4 bytes") && right;
  right = copies<8, Source::some>("cp.async of up to 8 bytes") && right;
  right = copies<16, Source::some>("cp.async of up to 16 bytes") && right;
  right = copies<16, Source::ignored>("cp.async with a predicate") && right;
  right = groups() && right;
  return right ? 0 : 1;
}
