// Fully connected layers, forward and backward, on oneDNN.
//   input [N, I], weights [O, I], output [N, O]   fp32 or bf16; gradients of weights and bias fp32
#include "device.h"

namespace alexnet::cpu {
namespace {

using dnnl::memory;

Descriptor matrix(const Tensor& tensor) {
  return {{tensor.dimension(0), tensor.dimension(1)}, typeOf(tensor), memory::format_tag::ab};
}

Descriptor anyMatrix(const Tensor& tensor) {
  return {{tensor.dimension(0), tensor.dimension(1)}, typeOf(tensor), memory::format_tag::any};
}

Descriptor vectorOf(const Tensor& tensor) {
  if (!tensor) return {};
  return {{tensor.dimension(0)}, memory::data_type::f32, memory::format_tag::a};
}

Key keyOf(Kind kind, const Tensor& input, const Tensor& output) {
  return {static_cast<int64_t>(kind),
          static_cast<int64_t>(input.type),
          static_cast<int64_t>(output.type),
          input.dimension(0),
          input.dimension(1),
          output.dimension(1)};
}

// The forward pass that a backward pass names as its own; weights [O, I] of the input's type.
dnnl::inner_product_forward::primitive_desc describeForward(const dnnl::engine& engine, const Tensor& input,
                                                            const Tensor& output, const Tensor& bias) {
  return describe<dnnl::inner_product_forward>(
      engine, attributes(), dnnl::prop_kind::forward_training, matrix(input),
      Descriptor({output.dimension(1), input.dimension(1)}, typeOf(input), memory::format_tag::any), vectorOf(bias),
      matrix(output));
}

}  // namespace

void CpuDevice::run(const Linear& operation) {
  Key key = keyOf(Kind::linear, operation.input, operation.output);
  key.push_back(static_cast<int64_t>(operation.activation));
  key.push_back(operation.bias ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto description = describe<dnnl::inner_product_forward>(
        primitives_.engine, attributes(operation.activation), dnnl::prop_kind::forward_training,
        matrix(operation.input), anyMatrix(operation.weights), vectorOf(operation.bias), matrix(operation.output));
    std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, matrix(operation.input)},
                               {DNNL_ARG_WEIGHTS, Port::Role::weights, matrix(operation.weights)},
                               {DNNL_ARG_DST, Port::Role::output, matrix(operation.output)}};
    if (operation.bias) ports.push_back({DNNL_ARG_BIAS, Port::Role::input, vectorOf(operation.bias)});
    return Prepared(primitives_.engine, dnnl::inner_product_forward(description), description, ports);
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_WEIGHTS, operation.weights},
                                 {DNNL_ARG_BIAS, operation.bias},
                                 {DNNL_ARG_DST, operation.output}});
}

void CpuDevice::run(const LinearBackwardInput& operation) {
  const Key key = keyOf(Kind::linearBackwardInput, operation.inputGradient, operation.outputGradient);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto forward = describeForward(primitives_.engine, operation.inputGradient, operation.outputGradient, {});
    const auto description = describeBackward<dnnl::inner_product_backward_data>(
        primitives_.engine, attributes(), forward, matrix(operation.inputGradient), anyMatrix(operation.weights),
        matrix(operation.outputGradient));
    return Prepared(primitives_.engine, dnnl::inner_product_backward_data(description), description,
                    {{DNNL_ARG_DIFF_DST, Port::Role::input, matrix(operation.outputGradient)},
                     {DNNL_ARG_WEIGHTS, Port::Role::weights, matrix(operation.weights)},
                     {DNNL_ARG_DIFF_SRC, Port::Role::output, matrix(operation.inputGradient)}});
  });
  primitives_.execute(prepared, {{DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_WEIGHTS, operation.weights},
                                 {DNNL_ARG_DIFF_SRC, operation.inputGradient}});
}

void CpuDevice::run(const LinearBackwardWeights& operation) {
  Key key = keyOf(Kind::linearBackwardWeights, operation.input, operation.outputGradient);
  key.push_back(operation.biasGradient ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto forward =
        describeForward(primitives_.engine, operation.input, operation.outputGradient, operation.biasGradient);
    const auto description = describeBackward<dnnl::inner_product_backward_weights>(
        primitives_.engine, attributes(), forward, matrix(operation.input), anyMatrix(operation.weightGradient),
        vectorOf(operation.biasGradient), matrix(operation.outputGradient));
    std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, matrix(operation.input)},
                               {DNNL_ARG_DIFF_DST, Port::Role::input, matrix(operation.outputGradient)},
                               {DNNL_ARG_DIFF_WEIGHTS, Port::Role::output, matrix(operation.weightGradient)}};
    if (operation.biasGradient) {
      ports.push_back({DNNL_ARG_DIFF_BIAS, Port::Role::output, vectorOf(operation.biasGradient)});
    }
    return Prepared(primitives_.engine, dnnl::inner_product_backward_weights(description), description, ports);
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_DIFF_WEIGHTS, operation.weightGradient},
                                 {DNNL_ARG_DIFF_BIAS, operation.biasGradient}});
}

}  // namespace alexnet::cpu
