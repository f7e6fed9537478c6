// Sums in a fixed order: the partial sums of split-K (cuda/gemm/split_k.h), and bias gradients.
//   sumPartials  output[row, column] = activation(sum over i of partials[i, row, column] + bias + addend)
//                partials [count, rows, columns] fp32; output as the epilogue says (cuda/gemm/epilogue.cuh)
//   sumRows      output[k] = sum over rows of matrix[row, k];  matrix [rows, K] fp32 or bf16, output [K] fp32
// Mapping   sumPartials: a thread for 4 columns of a row, on grid.x.
//           sumRows: a block of 8 warps for 32 columns (grid.y) and a share of the rows (grid.x). A lane takes a column,
//           a warp every eighth row; warp 0 adds the 8 sums. Where there are several shares, sumPartials adds them.
// Bound     memory: partials or matrix read once.
// Checked   test/ops/conv2d.test.ts, test/ops/linear.test.ts
#include "reduce.h"

#include <algorithm>

#include "../runtime/launch.cuh"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

__global__ void __launch_bounds__(kThreads)
    sumPartialsKernel(const float* partials, int64_t count, int64_t elements, int64_t runs, Epilogue epilogue) {
  const int64_t run = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const int64_t runsOfRow = (epilogue.columns + 3) / 4;
  if (run >= runs) return;
  const int64_t row = run / runsOfRow;
  const int64_t column = run % runsOfRow * 4;
  const float* const partial = partials + row * epilogue.columns + column;
  const int64_t columns = epilogue.columns - column;
  float sums[4] = {};
  addInOrder<8>(count, sums, [&](int64_t i, int j) { return j < columns ? partial[i * elements + j] : 0.0F; });
  finish(epilogue, row, column, epilogue.columns, sums);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    sumRowsKernel(const T* matrix, float* output, int64_t rows, int64_t rowsOfBlock, int64_t columns) {
  __shared__ float shares[kWarps][32];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * 32 + lane;
  const int64_t first = blockIdx.x * rowsOfBlock;
  const int64_t end = min(first + rowsOfBlock, rows);
  float sum = 0.0F;
  if (column < columns) {
    for (int64_t row = first + warp; row < end; row += kWarps) sum += widen(matrix[row * columns + column]);
  }
  shares[warp][lane] = sum;
  __syncthreads();
  if (warp > 0 || column >= columns) return;
#pragma unroll
  for (int i = 1; i < kWarps; ++i) sum += shares[i][lane];
  output[blockIdx.x * columns + column] = sum;
}

}  // namespace

void sumPartials(const float* partials, int64_t count, int64_t elements, const Epilogue& epilogue, Context& context) {
  const int64_t runs = elements / epilogue.columns * ((epilogue.columns + 3) / 4);
  launch("sumPartialsKernel", sumPartialsKernel, {(runs + kThreads - 1) / kThreads}, kThreads, context.stream(),
         partials, count, elements, runs, epilogue);
}

void sumRows(const Tensor& matrix, const Tensor& output, Context& context) {
  const int64_t columns = output.elements();
  const int64_t rows = matrix.elements() / columns;
  const int64_t strips = (columns + 31) / 32;
  // Four blocks for each multiprocessor, but at least 64 rows for a block.
  const int64_t most = std::max<int64_t>(1, std::min(rows / 64, 4 * context.limits().multiprocessors / strips));
  const int64_t rowsOfBlock = (rows + most - 1) / most;
  const int64_t shares = (rows + rowsOfBlock - 1) / rowsOfBlock;
  float* const sums = shares == 1 ? output.mutableData<float>()
                                  : static_cast<float*>(context.scratch(static_cast<size_t>(shares * columns) * 4));
  const Grid grid{shares, strips};
  if (matrix.type == DataType::float32) {
    launch("sumRowsKernel", sumRowsKernel<float>, grid, kThreads, context.stream(), matrix.data<float>(), sums, rows,
           rowsOfBlock, columns);
  } else {
    launch("sumRowsKernel", sumRowsKernel<__nv_bfloat16>, grid, kThreads, context.stream(),
           matrix.data<__nv_bfloat16>(), sums, rows, rowsOfBlock, columns);
  }
  if (shares > 1) sumPartials(sums, shares, columns, epilogueOf(output, columns, columns), context);
}

}  // namespace alexnet::cuda
