// The CPU device: the operations on oneDNN, NHWC, fp32 and bf16.
#pragma once

#include "../core/backend.h"

namespace alexnet::cpu {

const Backend& backend();

}  // namespace alexnet::cpu
