// Launchers of cuda/kernels/conv2d_*_mma.cu and conv1_mma.cu: convolutions on tensor cores. conv2d's launchers call
// them where `takes` says so. They queue on the context's stream and return.
#pragma once

#include "../../core/operations.h"
#include "../runtime/context.h"

namespace alexnet::cuda::mma {

bool takes(const Conv2d& operation, const Context& context);
bool takes(const Conv2dBackwardInput& operation, const Context& context);
bool takes(const Conv2dBackwardWeights& operation, const Context& context);

void conv2dForwardMma(const Conv2d& operation, Context& context);
void conv2dBackwardInputMma(const Conv2dBackwardInput& operation, Context& context);
void conv2dBackwardWeightsMma(const Conv2dBackwardWeights& operation, Context& context);

// Where isConv1 (conv1.h) says so
bool takesConv1(const Conv2d& operation, const Context& context);
bool takesConv1(const Conv2dBackwardWeights& operation, const Context& context);
void conv1ForwardMma(const Conv2d& operation, Context& context);
void conv1BackwardWeightsMma(const Conv2dBackwardWeights& operation, Context& context);

}  // namespace alexnet::cuda::mma
