// Launchers of cuda/lrn.cu. They queue on `stream` and return.
#pragma once

#include <cuda_runtime_api.h>

#include "../core/operations.h"

namespace alexnet::cuda {

// output = input / (k + alpha * window sum of input^2)^beta, windows of `shape.size` channels clipped to the column.
//   input, output   device memory [pixels, channels] of `type` (fp32 or bf16), 16-byte aligned, not overlapping
// Fails with ALEXNET_ARGUMENT where the kernel's requirements (see lrn.cu) are not met.
void lrnForward(DataType type, const void* input, void* output, int64_t pixels, int64_t channels, const LrnShape& shape,
                cudaStream_t stream);

}  // namespace alexnet::cuda
