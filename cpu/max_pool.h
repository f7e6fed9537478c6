// Max pooling of rows of pixels.
#pragma once

#include "../core/operations.h"
#include "bytes.h"

namespace alexnet::cpu {

using PoolIndex = uint16_t;  // which input of its window (row by row) an output is

struct PoolGeometry {
  PoolGeometry(const Tensor& input, const Tensor& output, const PoolShape& shape)
      : height(input.dimension(1)),
        width(input.dimension(2)),
        channels(input.dimension(3)),
        outputHeight(output.dimension(1)),
        outputWidth(output.dimension(2)),
        size(shape.size),
        stride(shape.stride) {}

  int64_t height, width, channels, outputHeight, outputWidth, size, stride;
};

// One row of outputs [Q, C] from the input rows [size, W, C] below it; index [Q, C] or none.
template <class Real>
void maxPoolRow(const Real* input, Real* output, PoolIndex* index, const PoolGeometry& geometry);
// Row h of a picture's input gradients [W, C], from outputGradient and index [P, Q, C] of the picture.
template <class Real>
void maxPoolBackwardRow(const Real* outputGradient, const PoolIndex* index, Real* inputGradient, int64_t h,
                        const PoolGeometry& geometry);

// Fails where the workspace cannot hold the index of an output.
void requireWorkspace(const Tensor& workspace, const Tensor& output, const PoolShape& shape);

}  // namespace alexnet::cpu
