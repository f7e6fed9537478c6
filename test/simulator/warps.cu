// What lanes and threads do together, and how memory is read and written: each kernel's results are compared with what the
// host computes from the definition. Prints the name of each that is right.
#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

namespace {

constexpr int kThreads = 96;
constexpr unsigned kWarp = 0xffffffffU;
using Words = std::vector<uint32_t>;

Words randomWords(size_t count) {
  std::mt19937 random(2012);
  Words words(count);
  for (uint32_t& word : words) word = random();
  return words;
}

// Runs kernel(input, output) on a block of 96 threads.
template <class... Arguments>
Words outputOf(void (*kernel)(const uint32_t*, uint32_t*, Arguments...), const Words& input, size_t outputs,
               Arguments... arguments) {
  void *from, *to;
  cudaMalloc(&from, input.size() * 4);
  cudaMalloc(&to, outputs * 4);
  cudaMemcpy(from, input.data(), input.size() * 4, cudaMemcpyHostToDevice);
  Words zeros(outputs, 0);
  cudaMemcpy(to, zeros.data(), outputs * 4, cudaMemcpyHostToDevice);
  kernel<<<1, kThreads, 256>>>(static_cast<const uint32_t*>(from), static_cast<uint32_t*>(to), arguments...);
  Words result(outputs);
  if (cudaMemcpy(result.data(), to, outputs * 4, cudaMemcpyDeviceToHost) != cudaSuccess) result.clear();
  return result;
}

bool report(const char* name, const Words& found, const Words& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i < found.size() && found[i] == expected[i]) continue;
    std::printf("%s is wrong: result %zu is %08x, not %08x\n", name, i, i < found.size() ? found[i] : 0, expected[i]);
    return false;
  }
  std::printf("%s\n", name);
  return true;
}

// Expected of each thread: value(thread, the warp's inputs, lane).
Words perLane(const Words& input, const std::function<uint32_t(const uint32_t*, int)>& value) {
  Words result(kThreads);
  for (int i = 0; i < kThreads; ++i)
    result[static_cast<size_t>(i)] = value(&input[static_cast<size_t>(i / 32 * 32)], i % 32);
  return result;
}

// --- Shuffles and votes ---

__global__ void shuffleKernel(const uint32_t* input, uint32_t* output, int kind, int by, int width) {
  const uint32_t value = input[threadIdx.x];
  uint32_t result = 0;
  if (kind == 0) result = __shfl_up_sync(kWarp, value, static_cast<unsigned>(by), width);
  if (kind == 1) result = __shfl_down_sync(kWarp, value, static_cast<unsigned>(by), width);
  if (kind == 2) result = __shfl_xor_sync(kWarp, value, by, width);
  if (kind == 3) result = __shfl_sync(kWarp, value, by + static_cast<int>(threadIdx.x), width);
  output[threadIdx.x] = result;
}

// What every lane gets: beyond its segment its own value; but a butterfly may reach an earlier segment.
Words shuffled(const Words& input, int kind, int by, int width) {
  return perLane(input, [=](const uint32_t* warp, int lane) {
    const int first = lane / width * width, last = first + width - 1;
    const int from = kind == 0   ? lane - by
                     : kind == 1 ? lane + by
                     : kind == 2 ? lane ^ by
                                 : first + (by + lane) % width;
    return warp[from > last || (kind == 0 && from < first) ? lane : from];
  });
}

bool shuffles() {
  const Words input = randomWords(kThreads);
  const char* names[] = {"shfl.sync.up.b32", "shfl.sync.down.b32", "shfl.sync.bfly.b32", "shfl.sync.idx.b32"};
  bool right = true;
  for (int kind = 0; kind < 4; ++kind) {
    Words found, expected;
    for (const int width : {32, 16, 8}) {
      for (const int by : {1, 3, 16}) {
        const Words results = outputOf(shuffleKernel, input, kThreads, kind, by, width);
        const Words wanted = shuffled(input, kind, by, width);
        found.insert(found.end(), results.begin(), results.end());
        expected.insert(expected.end(), wanted.begin(), wanted.end());
      }
    }
    right = report(names[kind], found, expected) && right;
  }
  return right;
}

__global__ void voteKernel(const uint32_t* input, uint32_t* output) {
  const uint32_t value = input[threadIdx.x];
  const bool small = value % 8 < threadIdx.x / 32;  // none, some and more
  output[threadIdx.x] = __ballot_sync(kWarp, small) ^ (__any_sync(kWarp, small) ? 1U << 30 : 0) ^
                        (__all_sync(kWarp, value % 8 < 3 * threadIdx.x / 32 + 8) ? 1U << 29 : 0);
}

__global__ void partialKernel(const uint32_t* input, uint32_t* output) {
  const uint32_t value = input[threadIdx.x];
  const unsigned lane = threadIdx.x % 32;
  uint32_t result = 0;
  if (lane % 4 == 1)  // lanes 1, 5, 9 ... among themselves, while the others go another way
    result = __shfl_xor_sync(0x22222222U, value, 4) + __ballot_sync(0x22222222U, value & 1);
  else
    result = __activemask() == 0xddddddddU ? value : 0;
  output[threadIdx.x] = result;
}

bool votes() {
  const Words input = randomWords(kThreads);
  Words expected(kThreads), partial(kThreads);
  for (uint32_t i = 0; i < kThreads; ++i) {
    const uint32_t* warp = &input[i / 32 * 32];
    uint32_t ballot = 0, odd = 0;
    for (uint32_t lane = 0; lane < 32; ++lane) {
      ballot |= warp[lane] % 8 < i / 32 ? 1U << lane : 0;
      odd |= lane % 4 == 1 && warp[lane] & 1 ? 1U << lane : 0;
    }
    expected[i] = ballot ^ (ballot ? 1U << 30 : 0) ^ 1U << 29;
    partial[i] = i % 4 == 1 ? warp[i % 32 ^ 4] + odd : input[i];
  }
  const bool right = report("vote", outputOf(voteKernel, input, kThreads), expected);
  return report("a shuffle and a vote of some lanes", outputOf(partialKernel, input, kThreads), partial) && right;
}

// --- Atomics ---

__global__ void atomicKernel(const uint32_t* input, uint32_t* output) {
  __shared__ uint32_t counter;
  if (threadIdx.x == 0) counter = 5;
  __syncthreads();
  const uint32_t value = input[threadIdx.x];
  atomicAdd(&counter, value);
  atomicAdd(&output[0], value);
  atomicMin(reinterpret_cast<int*>(&output[1]), static_cast<int>(value));
  atomicMax(&output[2], value);
  atomicXor(&output[3], value);
  atomicAdd(reinterpret_cast<float*>(&output[4]), static_cast<float>(value % 1024));
  atomicAdd(reinterpret_cast<unsigned long long*>(&output[6]), static_cast<unsigned long long>(value));
  uint32_t seen = output[8];
  for (;;) {  // a maximum by compare-and-swap
    const uint32_t old = atomicCAS(&output[8], seen, seen > value ? seen : value);
    if (old == seen) break;
    seen = old;
  }
  const uint32_t ticket = atomicAdd(&output[9], 1U);
  atomicOr(&output[10 + ticket / 32], 1U << ticket % 32);  // every ticket once
  __syncthreads();
  if (threadIdx.x == 0) output[5] = counter;
}

bool atomics() {
  const Words input = randomWords(kThreads);
  Words expected(13, 0);
  uint64_t wide = 0;
  float sum = 0;
  int32_t least = 0;
  for (const uint32_t value : input) {
    expected[0] += value, wide += value, expected[3] ^= value;
    sum += static_cast<float>(value % 1024);
    least = static_cast<int32_t>(value) < least ? static_cast<int32_t>(value) : least;
    expected[2] = value > expected[2] ? value : expected[2];
  }
  expected[1] = static_cast<uint32_t>(least), expected[5] = expected[0] + 5, expected[8] = expected[2];
  std::memcpy(&expected[4], &sum, 4), std::memcpy(&expected[6], &wide, 8);
  expected[9] = kThreads, expected[10] = expected[11] = expected[12] = 0xffffffffU;
  return report("atom and red", outputOf(atomicKernel, input, 13), expected);
}

// --- Memory ---

struct Parameter {
  uint8_t byte;
  uint64_t wide;
  int16_t values[3];
};
__device__ uint32_t table[4] = {2, 3, 5, 7};
__constant__ uint32_t constants[3] = {11, 13, 17};

__global__ void memoryKernel(const uint32_t* input, uint32_t* output, Parameter parameter) {
  extern __shared__ uint32_t dynamic[];  // 256 bytes
  const unsigned i = threadIdx.x;
  const auto* bytes = reinterpret_cast<const unsigned char*>(input);
  const auto* halves = reinterpret_cast<const short*>(input);
  uint32_t local[8];  // indexed by a variable: local memory
  for (unsigned j = 0; j < 8; ++j) local[(j + i) % 8] = input[i] + j;
  const uint4 four = reinterpret_cast<const uint4*>(input)[i % 24];
  const uint2 two = __ldg(reinterpret_cast<const uint2*>(input) + i % 48);
  if (i < 64) dynamic[i ^ 1] = four.x ^ four.y ^ four.z ^ four.w;
  __syncthreads();
  uint32_t sum =
      bytes[i] + static_cast<uint32_t>(static_cast<signed char>(bytes[i + 1])) + static_cast<uint32_t>(halves[i]);
  sum += two.x ^ two.y;
  sum += local[input[i] % 8] + dynamic[i % 64] + table[i % 4] + constants[i % 3];
  sum += parameter.byte + static_cast<uint32_t>(parameter.wide >> 32) + static_cast<uint32_t>(parameter.values[i % 3]);
  output[i] = sum;
  reinterpret_cast<unsigned char*>(output + kThreads)[i] = static_cast<unsigned char>(sum);
  reinterpret_cast<uint4*>(output + kThreads + 24)[i] = make_uint4(sum, two.x, two.y, four.w);
}

bool memory() {
  const Words input = randomWords(kThreads);
  const Parameter parameter = {200, 0x123456789abcdef0U, {-5, 6, -32768}};
  const uint32_t primes[] = {2, 3, 5, 7}, constant[] = {11, 13, 17};
  Words expected(kThreads + 24 + 4 * kThreads);
  const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
  const auto xorOf = [&](uint32_t i) { return input[4 * i] ^ input[4 * i + 1] ^ input[4 * i + 2] ^ input[4 * i + 3]; };
  for (uint32_t i = 0; i < kThreads; ++i) {
    int16_t half;
    std::memcpy(&half, bytes + 2 * i, 2);
    const uint32_t two[] = {input[i % 48 * 2], input[i % 48 * 2 + 1]};
    uint32_t sum =
        bytes[i] + static_cast<uint32_t>(static_cast<signed char>(bytes[i + 1])) + static_cast<uint32_t>(half);
    sum += two[0] ^ two[1];
    sum += input[i] + (input[i] % 8 + 8 - i % 8) % 8;  // local[k] holds input[i] + j where (j + i) % 8 = k
    sum += xorOf((i % 64 ^ 1) % 24) + primes[i % 4] + constant[i % 3];
    sum += 200 + 0x12345678U + static_cast<uint32_t>(parameter.values[i % 3]);
    expected[i] = sum;
    reinterpret_cast<unsigned char*>(&expected[kThreads])[i] = static_cast<unsigned char>(sum);
    const uint32_t stored[] = {sum, two[0], two[1], input[i % 24 * 4 + 3]};
    std::memcpy(&expected[kThreads + 24 + 4 * i], stored, 16);
  }
  return report("memory of every kind", outputOf(memoryKernel, input, expected.size(), parameter), expected);
}

// --- Control flow ---

__device__ __noinline__ uint32_t steps(uint32_t value) {  // a call, with a loop of its own length in every lane
  uint32_t count = 0;
  while (value != 1 && count < 500) {
    value = value % 2 ? 3 * value + 1 : value / 2;
    ++count;
  }
  return count;
}

__global__ void controlKernel(const uint32_t* input, uint32_t* output) {
  const uint32_t value = input[threadIdx.x] % 1000 + 1;
  uint32_t result = steps(value);
  switch (value % 7) {
    case 0: result += 100; break;
    case 1: result *= 3; break;
    case 2: result ^= value; [[fallthrough]];
    case 3: result += steps(result + 1); break;
    case 4: return;
    case 5: result = 12345; break;
    default: result -= 7;
  }
  output[threadIdx.x] = result;
}

uint32_t hostSteps(uint32_t value) {
  uint32_t count = 0;
  for (; value != 1 && count < 500; ++count) value = value % 2 ? 3 * value + 1 : value / 2;
  return count;
}

bool control() {
  const Words input = randomWords(kThreads);
  Words expected(kThreads, 0);
  for (size_t i = 0; i < kThreads; ++i) {
    const uint32_t value = input[i] % 1000 + 1;
    const uint32_t first = hostSteps(value);
    const uint32_t mixed = first ^ value;
    const uint32_t results[] = {first + 100, first * 3, mixed + hostSteps(mixed + 1), first + hostSteps(first + 1), 0,
                                12345,       first - 7};
    expected[i] = results[value % 7];
  }
  return report("branches, loops and calls", outputOf(controlKernel, input, kThreads), expected);
}

}  // namespace

int main() {
  bool right = shuffles();
  right = votes() && right;
  right = atomics() && right;
  right = memory() && right;
  right = control() && right;
  return right ? 0 : 1;
}
