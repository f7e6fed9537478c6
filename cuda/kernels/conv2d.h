// Launchers of cuda/conv2d*.cu. They queue on the context's stream and return. The operations have been validated.
#pragma once

#include "../../core/operations.h"
#include "../runtime/context.h"

namespace alexnet::cuda {

// Takes conv1's kernels (cuda/conv1_*.cu) where the shape is conv1's kind.
void conv2dForward(const Conv2d& operation, Context& context);
void conv2dBackwardInput(const Conv2dBackwardInput& operation, Context& context);
void conv2dBackwardWeights(const Conv2dBackwardWeights& operation, Context& context);

}  // namespace alexnet::cuda
