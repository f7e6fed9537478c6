// Between bf16 tensors and fp32 values, element by element.
#pragma once

#include "../core/tensor.h"

namespace alexnet::cpu {

void widen(const Tensor& bfloat16, float* values);
void narrow(const float* values, const Tensor& bfloat16);

}  // namespace alexnet::cpu
