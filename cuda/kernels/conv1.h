// Launchers of cuda/kernels/conv1_*.cu: the first layer's convolution. conv2d's call them where `isConv1` says so.
#pragma once

#include "../../core/operations.h"
#include "../runtime/context.h"

namespace alexnet::cuda {

// Windows of 11x11 on 3 channels, 4 pixels apart.
inline bool isConv1(const Tensor& weights, const ConvShape& shape) {
  return weights.dimension(1) == 11 && weights.dimension(2) == 11 && weights.dimension(3) == 3 && shape.stride == 4 &&
         shape.groups == 1;
}

void conv1Forward(const Conv2d& operation, Context& context);
// The weight gradient alone: conv2d's launcher does the bias gradient.
void conv1BackwardWeights(const Conv2dBackwardWeights& operation, Context& context);

}  // namespace alexnet::cuda
