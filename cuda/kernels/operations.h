// The launchers, one for each operation of core/operations.h. They expect a valid operation whose tensors are on the
// current GPU, put their kernels on the context's stream and return. Where a kernel takes less than the operation allows,
// the launcher fails with ALEXNET_ARGUMENT; each file's header comment says what its kernels take.
//
// An output is apart from the inputs, or exactly the same memory where the operation may run in place.
#pragma once

#include "../../core/operations.h"
#include "../runtime/context.h"

namespace alexnet::cuda {

// elementwise.cu
// Whether this build has kernels for the current GPU, and which compute capability they were compiled for.
cudaError_t findKernels(int& computeCapability);
void cast(const Cast& operation, Context& context);  // between different types
void fill(const Fill& operation, Context& context);
void add(const Add& operation, Context& context);

// activate.cu
void activateForward(const Activate& operation, Context& context);
void activateBackward(const ActivateBackward& operation, Context& context);

// augment.cu: the crops lie within the pictures
void augment(const Augment& operation, Context& context);

// dropout.cu
void dropout(const Dropout& operation, Context& context);

// lrn.cu
void lrnForward(const Lrn& operation, Context& context);
void lrnBackward(const LrnBackward& operation, Context& context);

// max_pool.cu
size_t maxPoolWorkspaceBytes(const MaxPool& operation);
void maxPoolForward(const MaxPool& operation, Context& context);
void maxPoolBackward(const MaxPoolBackward& operation, Context& context);

// lrn_max_pool.cu
void lrnMaxPoolForward(const LrnMaxPool& operation, Context& context);
void lrnMaxPoolBackward(const LrnMaxPoolBackward& operation, Context& context);

// normal.cu
void normal(const Normal& operation, Context& context);

// permute.cu
void permute(const Permute& operation, Context& context);

// sgd.cu
void sgd(const Sgd& operation, Context& context);

// softmax.cu: the labels are classes
void softmaxLoss(const SoftmaxLoss& operation, Context& context);
void softmax(const Softmax& operation, Context& context);

}  // namespace alexnet::cuda
