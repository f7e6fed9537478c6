// Local response normalization and max pooling in one pass, forward and backward. paper 3.3, 3.4
//   input [N, H, W, C], output [N, P, Q, C]   fp32 or bf16;   workspace [N, P, Q, C] uint16, as max_pool.cc has it
// The loops of lrn.cc and max_pool.cc, row by row of a picture: what one makes for the other stays in the cache.
#include <algorithm>

#include "device.h"
#include "lrn.h"
#include "max_pool.h"
#include "relu.h"

namespace alexnet::cpu {
namespace {

template <class Real>
void forward(const LrnMaxPool& operation) {
  const PoolGeometry geometry(operation.input, operation.output, operation.pool);
  const Real* const input = operation.input.data<Real>();
  Real* const output = operation.output.mutableData<Real>();
  PoolIndex* const index = operation.workspace ? operation.workspace.mutableData<PoolIndex>() : nullptr;
  const int64_t inputRow = geometry.width * geometry.channels;
  const int64_t outputRow = geometry.outputWidth * geometry.channels;
  const int64_t rows = operation.output.dimension(0) * geometry.outputHeight;
#pragma omp parallel
  {
    LrnRows scratch(geometry.channels / operation.lrn.columns, operation.lrn);
    std::vector<Real> normalized(static_cast<size_t>(geometry.size * inputRow));
    int64_t next = 0;  // the row of outputs after the last
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t n = row / geometry.outputHeight;
      const int64_t p = row % geometry.outputHeight;
      // What the windows of the last row of outputs, if it is of the same picture, have in common with this one's.
      const int64_t known = row == next && p > 0 ? std::max<int64_t>(0, geometry.size - geometry.stride) : 0;
      Real* const fresh = normalized.data() + known * inputRow;
      if (known > 0)
        std::copy(normalized.data() + geometry.stride * inputRow, normalized.data() + geometry.size * inputRow,
                  normalized.data());
      lrnRows(input + (n * geometry.height + p * geometry.stride + known) * inputRow, fresh,
              (geometry.size - known) * inputRow / scratch.length, operation.lrn, scratch);
      maxPoolRow(normalized.data(), output + row * outputRow, index ? index + row * outputRow : nullptr, geometry);
      next = row + 1;
    }
  }
}

template <class Real>
void backward(const LrnMaxPoolBackward& operation) {
  const PoolGeometry geometry(operation.input, operation.outputGradient, operation.pool);
  const Real* const input = operation.input.data<Real>();
  const Real* const outputGradient = operation.outputGradient.data<Real>();
  const PoolIndex* const index = operation.workspace.data<PoolIndex>();
  Real* const inputGradient = operation.inputGradient.mutableData<Real>();
  const int64_t row = geometry.width * geometry.channels;
  const int64_t imageOutputs = geometry.outputHeight * geometry.outputWidth * geometry.channels;
  const int64_t rows = operation.input.dimension(0) * geometry.height;
#pragma omp parallel
  {
    LrnRows scratch(geometry.channels / operation.lrn.columns, operation.lrn);
    std::vector<Real> pooled(static_cast<size_t>(row));  // the gradients of lrn's outputs
#pragma omp for schedule(static)
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t outputs = i / geometry.height * imageOutputs;
      maxPoolBackwardRow(outputGradient + outputs, index + outputs, pooled.data(), i % geometry.height, geometry);
      Real* const gradient = inputGradient + i * row;
      lrnBackwardRows(input + i * row, pooled.data(), gradient, row / scratch.length, operation.lrn, scratch);
      if (operation.activation == Activation::relu) reluBackward(input + i * row, gradient, row);
    }
  }
}

}  // namespace

void CpuDevice::run(const LrnMaxPool& operation) {
  if (operation.workspace) requireWorkspace(operation.workspace, operation.output, operation.pool);
  operation.input.type == DataType::float32 ? forward<float>(operation) : forward<Bfloat16>(operation);
}

void CpuDevice::run(const LrnMaxPoolBackward& operation) {
  requireWorkspace(operation.workspace, operation.outputGradient, operation.pool);
  operation.input.type == DataType::float32 ? backward<float>(operation) : backward<Bfloat16>(operation);
}

}  // namespace alexnet::cpu
