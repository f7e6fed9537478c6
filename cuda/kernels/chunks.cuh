// Elementwise operations: a thread takes a chunk of 8 elements.
#pragma once

#include "../runtime/context.h"
#include "../runtime/launch.cuh"
#include "../runtime/vector.cuh"

namespace alexnet::cuda {

constexpr int kChunk = 8;
constexpr int kChunkThreads = 256;

// This thread's chunk: its first element, and its number of elements, 0 beyond the end.
struct ChunkPlace {
  int64_t begin;
  int count;
};
__device__ inline ChunkPlace chunkOf(int64_t elements) {
  const int64_t begin = (static_cast<int64_t>(blockIdx.x) * kChunkThreads + threadIdx.x) * kChunk;
  const int64_t left = elements - begin;
  return {begin, left >= kChunk ? kChunk : left > 0 ? static_cast<int>(left) : 0};
}

// Launches a kernel(arguments..., elements, wide), where `wide` says whether all its tensors are aligned to 16 bytes.
template <class... Parameters, class... Arguments>
void launchChunks(const char* name, void (*kernel)(Parameters...), Context& context, int64_t elements,
                  std::initializer_list<const void*> tensors, Arguments... arguments) {
  // Chunks are on grid.x: y and z end at 65,535.
  constexpr int64_t kPerBlock = int64_t{kChunkThreads} * kChunk;
  launch(name, kernel, Grid{(elements + kPerBlock - 1) / kPerBlock}, kChunkThreads, context.stream(), arguments...,
         elements, areWide(tensors));
}

}  // namespace alexnet::cuda
