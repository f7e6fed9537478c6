// Counter-based random numbers, Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
// A draw is a pure function of (seed, stream, index), so neither device, placement nor order changes it.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define ALEXNET_HOST_DEVICE __host__ __device__
#else
#define ALEXNET_HOST_DEVICE
#endif

namespace alexnet {

struct Philox4 {
  uint32_t x, y, z, w;
};

ALEXNET_HOST_DEVICE inline Philox4 philox(uint64_t seed, Philox4 counter) {
  uint32_t key0 = static_cast<uint32_t>(seed);
  uint32_t key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = static_cast<uint64_t>(0xD2511F53U) * counter.x;
    const uint64_t product1 = static_cast<uint64_t>(0xCD9E8D57U) * counter.z;
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter.y ^ key0, static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter.w ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

// What a stream is for: word 3 of the counter, so that no two uses share a draw.
enum class Draw : uint32_t { weights = 1, dropout = 2, views = 3, shuffle = 4 };

// Four dropout words for the elements 4 * counter .. 4 * counter + 3 of a layer in a step.
ALEXNET_HOST_DEVICE inline Philox4 dropoutWords(uint64_t seed, uint32_t step, uint32_t layer, uint32_t counter) {
  return philox(seed, {counter, step, layer, static_cast<uint32_t>(Draw::dropout)});
}

// An element lives where its word is at or above this: P(dropped) = rate.
ALEXNET_HOST_DEVICE inline uint32_t dropoutThreshold(float rate) {
  return static_cast<uint32_t>(static_cast<double>(rate) * 4294967296.0);
}

// The two standard normals of pair number `pair` of a stream (Box-Muller on 32-bit uniforms in (0, 1)).
inline std::array<float, 2> normalPair(uint64_t seed, uint32_t stream, uint64_t pair) {
  const Philox4 words = philox(seed, {static_cast<uint32_t>(pair), static_cast<uint32_t>(pair >> 32), stream,
                                      static_cast<uint32_t>(Draw::weights)});
  const double radius = std::sqrt(-2.0 * std::log((words.x + 0.5) * 0x1p-32));
  const double angle = 2.0 * 3.14159265358979323846 * ((words.y + 0.5) * 0x1p-32);
  return {static_cast<float>(radius * std::cos(angle)), static_cast<float>(radius * std::sin(angle))};
}

}  // namespace alexnet
