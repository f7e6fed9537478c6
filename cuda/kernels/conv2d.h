// Launchers of cuda/kernels/conv2d*.cu. They queue on the context's stream and return; operations have been validated.
#pragma once

#include "../../core/operations.h"
#include "../runtime/context.h"

namespace alexnet::cuda {

// Launches conv1's kernel (conv1.h) where the shape is conv1's.
void conv2dForward(const Conv2d& operation, Context& context);
void conv2dBackwardInput(const Conv2dBackwardInput& operation, Context& context);
void conv2dBackwardWeights(const Conv2dBackwardWeights& operation, Context& context);

}  // namespace alexnet::cuda
