// What conv1's tensor-core path (conv1_mma.cu) shares with conv2d's: the GEMMs on operands that are no tensors.
#pragma once

#include "../gemm/epilogue.cuh"
#include "../gemm/geometry.cuh"
#include "../gemm/mma/tiling.h"

namespace alexnet::cuda::mma {

// The type of operands that are multiplied in bf16, or in TF32.
template <class Element>
constexpr DataType typeOf = sizeof(Element) == sizeof(float) ? DataType::float32 : DataType::bfloat16;

// Of all output pictures together.
inline int64_t pixelsOf(const ConvGeometry& geometry) {
  return int64_t{geometry.images} * geometry.outputHeight * geometry.outputWidth;
}

// conv2d_forward_mma.cu: input [N, H, W, C], weights [K, R, S, C / groups]
template <class Element>
void multiplyWindows(const Element* input, const Element* weights, const ConvGeometry& geometry,
                     const Epilogue& epilogue, Context& context);

// conv2d_backward_weights_mma.cu: the gradients as the partial sums of their splits
struct Gradients {
  float* weights;  // [splits, K, R S C / groups]
  float* bias;     // [splits, K], or null
};
Gemm gradientGemm(const ConvGeometry& geometry, DataType type);
template <class Element>
void sumWindows(const Element* gradient, const Element* input, const ConvGeometry& geometry, const ShapeTiling& tiling,
                const Gradients& gradients, Context& context);

}  // namespace alexnet::cuda::mma
