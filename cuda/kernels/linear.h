// Launchers of cuda/kernels/linear.cu. They queue on the context's stream and return. The operations have been validated.
#pragma once

#include "../../core/operations.h"
#include "../runtime/context.h"

namespace alexnet::cuda {

void linearForward(const Linear& operation, Context& context);
void linearBackwardInput(const LinearBackwardInput& operation, Context& context);
void linearBackwardWeights(const LinearBackwardWeights& operation, Context& context);

}  // namespace alexnet::cuda
