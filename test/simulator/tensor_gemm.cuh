// A product on tensor cores as a kernel of cuda/ might have it, and with mistakes: C[m][n] = sum over k of A[m][k] B[k][n],
// bf16 in, fp32 out. A block of 4 warps has a tile of 128x64, a warp 64x32. The depth comes in steps of 32 through a ring
// of 3 stages, filled by cp.async; what lies beyond the matrices is filled with zeros.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace alexnet::test {

// none, or what the kernel does wrong.
#define ALEXNET_EACH_MISTAKE(APPLY) \
  APPLY(none)                       \
  APPLY(waitsForTooLittle)          \
  APPLY(noBarrierAfterWait)         \
  APPLY(copiesBeforeBarrier)        \
  APPLY(copiesIntoCurrentStage)     \
  APPLY(readsNextStage)             \
  APPLY(copiesTwice)                \
  APPLY(storesOverCopy)             \
  APPLY(leavesCopiesBehind)         \
  APPLY(misalignedRow)              \
  APPLY(rowBeyondEnd)               \
  APPLY(misalignedCopy)             \
  APPLY(copyBeyondEnd)              \
  APPLY(noZeroFill)                 \
  APPLY(misalignedSource)           \
  APPLY(sourceTooLong)              \
  APPLY(skipsFirstStage)            \
  APPLY(divergentProduct)           \
  APPLY(divergentLoad)              \
  APPLY(stageNotWrapped)            \
  APPLY(rowOffByOne)                \
  APPLY(dropsLastPiece)             \
  APPLY(swappedHalves)

enum class Mistake {
#define ALEXNET_NAME(name) name,
  ALEXNET_EACH_MISTAKE(ALEXNET_NAME)
#undef ALEXNET_NAME
};

constexpr int kTileRows = 128, kTileColumns = 64, kDepth = 32, kStages = 3, kGemmThreads = 128;
constexpr int kRowsBytes = 2 * kDepth;             // of a row of A, or of B as it is for kDeep false
constexpr int kDeepPitch = 2 * kTileColumns + 16;  // of a row of B otherwise
constexpr int kBytesOfA = kTileRows * kRowsBytes;
constexpr int kBytesOfB = kDepth * kDeepPitch;  // the larger of the two forms
constexpr int kStageBytes = kBytesOfA + kBytesOfB;

__device__ inline uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

__device__ inline void copy16(uint32_t to, const void* from, uint32_t sourceBytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(sourceBytes) : "memory");
}

__device__ inline void commitGroup() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int kGroups>
__device__ inline void waitGroup() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
}

__device__ inline void loadMatrices(uint32_t (&to)[4], uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(row)
               : "memory");
}

__device__ inline void loadTransposed(uint32_t (&to)[4], uint32_t deepRow) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(deepRow)
               : "memory");
}

__device__ inline void multiplyAdd(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// 16-byte piece of a row of 64 bytes, so that 8 rows below each other lie in different banks.
__device__ inline uint32_t rowsOffset(int row, int piece) {
  return static_cast<uint32_t>(row * kRowsBytes + (piece ^ (row / 2 & 3)) * 16);
}

struct Matrices {
  const uint16_t* a;  // [m][k]
  const uint16_t* b;  // kDeep: [k][n]; else [n][k]
  float* c;           // [m][n]
  int m, n, k;        // k and, if kDeep, n are multiples of 8
};

// Issues this thread's copies of step `step` into `stage`.
template <bool kDeep, Mistake kMistake>
__device__ void copyStep(const Matrices& matrices, uint32_t stage, int step) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = 0; i < kTileRows * 4 / kGemmThreads; ++i) {
    const int row = i * 32 + thread / 4, piece = thread % 4;
    const int m = static_cast<int>(blockIdx.x) * kTileRows + row, k = step * kDepth + piece * 8;
    const int depth = kMistake == Mistake::dropsLastPiece ? matrices.k - 8 : matrices.k;
    const bool inside = kMistake == Mistake::noZeroFill || (m < matrices.m && k < depth);
    const uint32_t bytes = kMistake == Mistake::sourceTooLong ? 32 : inside ? 16 : 0;
    const uint32_t to = stage + rowsOffset(row, piece) + (kMistake == Mistake::misalignedCopy && thread == 5 ? 8 : 0);
    const uint16_t* from = inside ? matrices.a + static_cast<size_t>(m) * matrices.k + k : matrices.a;
    copy16(to, from + (kMistake == Mistake::misalignedSource ? 4 : 0), bytes);
  }
  for (int i = 0; i < kDepth * kTileColumns / 8 / kGemmThreads; ++i) {
    const int index = i * kGemmThreads + thread;
    const int row = kDeep ? index / 8 : index / 4, piece = kDeep ? index % 8 : index % 4;
    const int n = static_cast<int>(blockIdx.y) * kTileColumns + (kDeep ? piece * 8 : row);
    const int k = step * kDepth + (kDeep ? row : piece * 8);
    const bool inside = n < matrices.n && k < matrices.k;
    const size_t from = kDeep ? static_cast<size_t>(k) * matrices.n + n : static_cast<size_t>(n) * matrices.k + k;
    const uint32_t beyond = kMistake == Mistake::copyBeyondEnd && thread == 7 ? kStages * kStageBytes : 0;
    const uint32_t to = stage + beyond + kBytesOfA +
                        (kDeep ? static_cast<uint32_t>(row * kDeepPitch + piece * 16) : rowsOffset(row, piece));
    copy16(to, inside ? matrices.b + from : matrices.b, inside ? 16 : 0);
    if (kMistake == Mistake::copiesTwice) copy16(to, inside ? matrices.b + from : matrices.b, inside ? 16 : 0);
  }
}

// Two halves of 16 of a step of the depth.
template <bool kDeep, Mistake kMistake>
__device__ void multiplyStep(float (&sums)[4][4][4], uint32_t stage) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (int half = 0; half < 2; ++half) {
    uint32_t a[4][4], b[2][4];
    for (int i = 0; i < 4; ++i) {
      const int row = warp / 2 * 64 + i * 16 + lane % 16 + (kMistake == Mistake::rowOffByOne ? 1 : 0);
      uint32_t from = stage + rowsOffset(row, half * 2 + lane / 16);
      if (kMistake == Mistake::misalignedRow && lane == 3) from += 8;
      if (kMistake == Mistake::rowBeyondEnd && lane == 9) from += kStages * kStageBytes;
      loadMatrices(a[i], from);
    }
    for (int j = 0; j < 2; ++j) {
      const int n = warp % 2 * 32 + j * 16 + lane / 16 * 8, second = lane / 8 % 2;
      if constexpr (kDeep) {
        const int row = half * 16 + second * 8 + lane % 8;
        loadTransposed(b[j], stage + kBytesOfA + static_cast<uint32_t>(row * kDeepPitch + n * 2));
      } else {
        loadMatrices(b[j], stage + kBytesOfA + rowsOffset(n + lane % 8, half * 2 + second));
      }
    }
    if (kMistake == Mistake::divergentLoad && lane > 15) loadMatrices(a[0], stage);
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 4; ++j) {
        const uint32_t first = b[j / 2][j % 2 * 2], second = b[j / 2][j % 2 * 2 + 1];
        if (kMistake == Mistake::divergentProduct && lane % 2 == 1) continue;
        if (kMistake == Mistake::swappedHalves) {
          multiplyAdd(sums[i][j], a[i], second, first);
        } else {
          multiplyAdd(sums[i][j], a[i], first, second);
        }
      }
    }
  }
}

template <bool kDeep, Mistake kMistake>
__global__ void __launch_bounds__(kGemmThreads) gemmKernel(Matrices matrices) {
  extern __shared__ __align__(128) unsigned char shared[];
  const uint32_t start = sharedAddress(shared);
  const int steps = (matrices.k + kDepth - 1) / kDepth;
  const auto stageOf = [&](int step) {
    return start + static_cast<uint32_t>((kMistake == Mistake::stageNotWrapped ? step : step % kStages) * kStageBytes);
  };
  float sums[4][4][4] = {};
  for (int step = 0; step < kStages - 1; ++step) {
    const bool skipped = kMistake == Mistake::skipsFirstStage && step == 0;
    if (step < steps && !skipped) copyStep<kDeep, kMistake>(matrices, stageOf(step), step);
    commitGroup();
  }
  for (int step = 0; step < steps; ++step) {
    const int next = step + kStages - 1;
    const uint32_t free = stageOf(kMistake == Mistake::copiesIntoCurrentStage ? step : next);
    if (kMistake == Mistake::copiesBeforeBarrier) {
      if (next < steps) copyStep<kDeep, kMistake>(matrices, free, next);
      commitGroup();
    }
    constexpr int kLate = kMistake == Mistake::waitsForTooLittle || kMistake == Mistake::copiesBeforeBarrier ? 1 : 0;
    waitGroup<kStages - 2 + kLate>();
    if (kMistake != Mistake::noBarrierAfterWait) __syncthreads();
    if (kMistake != Mistake::copiesBeforeBarrier) {
      if (next < steps) copyStep<kDeep, kMistake>(matrices, free, next);
      if (kMistake == Mistake::storesOverCopy && next < steps && threadIdx.x == 0) {
        *reinterpret_cast<volatile uint32_t*>(shared + next % kStages * kStageBytes) = 0;
      }
      commitGroup();
    }
    multiplyStep<kDeep, kMistake>(sums, stageOf(kMistake == Mistake::readsNextStage ? step + 1 : step));
  }
  if (kMistake == Mistake::leavesCopiesBehind) copyStep<kDeep, kMistake>(matrices, stageOf(steps), 0);

  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      for (int e = 0; e < 4; ++e) {
        const int m = static_cast<int>(blockIdx.x) * kTileRows + warp / 2 * 64 + i * 16 + lane / 4 + e / 2 * 8;
        const int n = static_cast<int>(blockIdx.y) * kTileColumns + warp % 2 * 32 + j * 8 + lane % 4 * 2 + e % 2;
        if (m < matrices.m && n < matrices.n) matrices.c[static_cast<size_t>(m) * matrices.n + n] = sums[i][j][e];
      }
    }
  }
}  // of gemmKernel

}  // namespace alexnet::test
