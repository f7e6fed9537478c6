// The CUDA device: hand-written kernels behind the CUDA runtime, which is linked statically.
#pragma once

#include "../core/backend.h"

namespace alexnet::cuda {

const Backend& backend();

}  // namespace alexnet::cuda
