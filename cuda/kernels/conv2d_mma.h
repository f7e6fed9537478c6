// Launchers of cuda/kernels/conv2d_*_mma.cu: convolutions on tensor cores. conv2d's launchers call them where `suits...`
// says so. They queue on the context's stream and return.
#pragma once

#include "../../core/operations.h"
#include "../runtime/context.h"

namespace alexnet::cuda::mma {

bool takes(const Conv2d& operation, const Context& context);
bool takes(const Conv2dBackwardInput& operation, const Context& context);
bool takes(const Conv2dBackwardWeights& operation, const Context& context);

void conv2dForwardMma(const Conv2d& operation, Context& context);
void conv2dBackwardInputMma(const Conv2dBackwardInput& operation, Context& context);
// The weight gradient alone.
void conv2dBackwardWeightsMma(const Conv2dBackwardWeights& operation, Context& context);

}  // namespace alexnet::cuda::mma
