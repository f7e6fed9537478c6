// How a tile's sums leave it (cuda/gemm/epilogue.cuh): a warp lays 16 of its rows at a time into shared memory of its own, and
// reads them back as runs of 4 columns. No product hides it where a multiprocessor has room for one block, so most layers
// have a way of their own (finishRuns).
#pragma once

#include "../epilogue.cuh"
#include "tile.cuh"

namespace alexnet::cuda::mma {

// Lays 16 of a warp's rows, `part`, into its lines of shared memory.
template <class T>
__device__ inline void layRows(const float (&part)[T::kWarpColumns / 8][4], float* lines) {
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (int j = 0; j < T::kWarpColumns / 8; ++j) {
    float* const line = lines + lane / 4 * T::kSumPitch + j * 8 + lane % 4 * 2;
    *reinterpret_cast<float2*>(line) = make_float2(part[j][0], part[j][1]);
    *reinterpret_cast<float2*>(line + 8 * T::kSumPitch) = make_float2(part[j][2], part[j][3]);
  }
}

// Where a warp's sums go: output[firstRow, firstColumn] on; the output ends before `endRow` and `endColumn`.
struct Corner {
  int64_t firstRow, endRow, firstColumn, endColumn;
};

// The epilogue of most layers: runs of 4 whole columns, a bias or none, ReLU or nothing. A lane's columns are the same in
// all rows, so that their bias is loaded once and an address is one addition on from the one before.
template <class T>
__device__ inline void finishRuns(const Epilogue& epilogue, const Corner& corner, float* lines, const Sums<T>& sums) {
  constexpr unsigned kRuns = T::kWarpColumns / 4, kAtOnce = 32 / kRuns;
  const unsigned lane = threadIdx.x % 32, down = lane / kRuns, across = lane % kRuns * 4;
  const int64_t row = corner.firstRow + down, column = corner.firstColumn + across;
  const bool works = down < kAtOnce && column < corner.endColumn;
  const int left = works ? static_cast<int>(min(corner.endRow - row, int64_t{T::kWarpRows})) : 0;
  const bool isFloat = epilogue.type == DataType::float32, relu = epilogue.activation == Activation::relu;
  const bool biased = epilogue.bias != nullptr;
  float bias[4] = {};
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (biased && left > 0) bias[k] = epilogue.bias[column + k];
  }
  const int64_t size = isFloat ? sizeof(float) : sizeof(__nv_bfloat16);
  char* address = static_cast<char*>(epilogue.output) + (row * epilogue.columns + column) * size;
#pragma unroll
  for (int i = 0; i < T::kWarpRows / 16; ++i) {
    layRows<T>(sums[i], lines);
    __syncwarp();
#pragma unroll
    for (unsigned r = 0; r < 16; r += kAtOnce, address += kAtOnce * epilogue.columns * size) {
      float four[4];
      load4(lines + (r + down % kAtOnce) * T::kSumPitch + across, four);
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        if (biased) four[k] += bias[k];
        if (relu) four[k] = activated(four[k], Activation::relu);
      }
      if (static_cast<int>(16 * i + r) >= left) continue;
      if (isFloat) {
        store4(reinterpret_cast<float*>(address), four);
      } else {
        store4(reinterpret_cast<__nv_bfloat16*>(address), four);
      }
    }
    __syncwarp();
  }
}

// Any epilogue.
template <class T>
__device__ inline void finishAny(const Epilogue& epilogue, const Corner& corner, float* lines, Sums<T>& sums) {
  constexpr unsigned kRuns = T::kWarpColumns / 4;
#pragma unroll 1  // the epilogue's code is long
  for (int i = 0; i < T::kWarpRows / 16; ++i) {
    layRows<T>(sums[0], lines);
    __syncwarp();
#pragma unroll 1
    for (unsigned run = threadIdx.x % 32; run < 16 * kRuns; run += 32) {
      const int64_t row = corner.firstRow + 16 * i + run / kRuns;
      float four[4];
      load4(lines + run / kRuns * T::kSumPitch + run % kRuns * 4, four);
      if (row < corner.endRow) finish(epilogue, row, corner.firstColumn + run % kRuns * 4, corner.endColumn, four);
    }
    __syncwarp();
#pragma unroll  // the next rows move up: registers cannot be indexed dynamically
    for (int next = 0; next + 1 < T::kWarpRows / 16; ++next) {
#pragma unroll
      for (int j = 0; j < T::kWarpColumns / 8; ++j) {
#pragma unroll
        for (int k = 0; k < 4; ++k) sums[next][j][k] = sums[next + 1][j][k];
      }
    }
  }
}

// The epilogue of a block's tile, which begins at the corner.
template <class T>
__device__ inline void finishTile(const Epilogue& epilogue, Corner corner, uint4* shared, Sums<T>& sums) {
  const unsigned warp = threadIdx.x / 32;
  float* const lines = reinterpret_cast<float*>(shared) + warp * 16 * T::kSumPitch;
  corner.firstRow += warp / T::kWarpsAcross * T::kWarpRows;
  corner.firstColumn += warp % T::kWarpsAcross * T::kWarpColumns;
  const bool simple = epilogue.activation == Activation::none || epilogue.activation == Activation::relu;
  if (epilogue.fours && epilogue.addend == nullptr && simple) {
    finishRuns<T>(epilogue, corner, lines, sums);
  } else {
    finishAny<T>(epilogue, corner, lines, sums);
  }
}

}  // namespace alexnet::cuda::mma
