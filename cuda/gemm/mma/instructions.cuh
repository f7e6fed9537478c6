// The instructions of tensor cores and of copies that run by themselves, from compute capability 8.0 on.
//   mma            sums [16, 8] += left [16, 32 bytes] right [32 bytes, 8]: operands in bf16 or TF32, fp32 sums, spread over a
//                  warp
//   ldmatrix       four matrices of 8 rows x 16 bytes from shared memory into the registers that mma takes them from
//   cvt            fp32 to the nearest TF32, which has 10 bits of fraction
//   cp.async       16 bytes from global to shared memory, past the registers; zeros where there is nothing to read
// Below 8.0 they do not exist: kernels have no body there (kHasTensorCores), and launchers do not call them.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

namespace alexnet::cuda::mma {

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr bool kHasTensorCores = false;
#define ALEXNET_ASM(...) static_cast<void>(0)
#else
constexpr bool kHasTensorCores = true;
#define ALEXNET_ASM(...) asm volatile(__VA_ARGS__)
#endif

using SharedAddress = unsigned;  // in bytes, within the block's shared memory

__device__ inline SharedAddress sharedAddress(const void* pointer) {
  return static_cast<SharedAddress>(__cvta_generic_to_shared(pointer));
}

// Copies 16 bytes, or writes 16 zeros; `source` must be an address of the tensor in either case.
__device__ inline void copyPiece(SharedAddress destination, const void* source, bool exists) {
  ALEXNET_ASM("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(destination), "l"(__cvta_generic_to_global(source)),
              "r"(exists ? 16 : 0)
              : "memory");
}

// Ends a group: the thread's copies since the last one.
__device__ inline void commitCopies() { ALEXNET_ASM("cp.async.commit_group;" ::: "memory"); }

// Waits until all but the thread's last `kGroups` groups have landed. Other threads see them after a barrier.
template <int kGroups>
__device__ inline void waitForCopies() {
  ALEXNET_ASM("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
}

// Four matrices: lanes 0-7 name the rows of the first, 8-15 of the second, and so on. Lane l holds word l % 4 of row l / 4.
// kTransposed, of two bf16 values a word: elements 2 (l % 4) and 2 (l % 4) + 1 of column l / 4.
template <bool kTransposed>
__device__ inline void loadMatrices(SharedAddress row, unsigned (&matrices)[4]) {
  if constexpr (kTransposed) {
    ALEXNET_ASM("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                : "r"(row)
                : "memory");
  } else {
    ALEXNET_ASM("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                : "r"(row)
                : "memory");
  }
}

// The word at an address of shared memory.
__device__ inline unsigned loadWord(SharedAddress address) {
  unsigned word = 0;
  ALEXNET_ASM("ld.shared.b32 %0, [%1];" : "=r"(word) : "r"(address) : "memory");
  return word;
}

// The operands of multiplyAdd in the precision that it multiplies in. NaN stays NaN.
__device__ inline void roundOperands(unsigned (&)[4], __nv_bfloat16) {}
__device__ inline void roundOperands(unsigned (&words)[4], float) {
#pragma unroll
  for (int i = 0; i < 4; ++i) ALEXNET_ASM("cvt.rna.tf32.f32 %0, %1;" : "=r"(words[i]) : "f"(__uint_as_float(words[i])));
}

// Lane l holds sums[l / 4][2 (l % 4) + 0, 1], then the same of row l / 4 + 8. The last argument says what the words are.
__device__ inline void multiplyAdd(const unsigned (&left)[4], unsigned rightLow, unsigned rightHigh, float (&sums)[4],
                                   __nv_bfloat16) {
  ALEXNET_ASM(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(rightLow), "r"(rightHigh));
}
__device__ inline void multiplyAdd(const unsigned (&left)[4], unsigned rightLow, unsigned rightHigh, float (&sums)[4],
                                   float) {
  ALEXNET_ASM(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(rightLow), "r"(rightHigh));
}

#undef ALEXNET_ASM

}  // namespace alexnet::cuda::mma
