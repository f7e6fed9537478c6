// Fully connected layers, forward and backward, on oneDNN.
//   input [N, I], weights [O, I], output [N, O]   fp32 or bf16; gradients of weights and bias fp32
// Weights stay as they are: oneDNN's packed layouts are not faster by what the packing costs in every
// training step.
#include "device.h"
#include "relu.h"

namespace alexnet::cpu {
namespace {

using dnnl::memory;

Descriptor matrix(const Tensor& tensor) {
  return {{tensor.dimension(0), tensor.dimension(1)}, typeOf(tensor), memory::format_tag::ab};
}

Descriptor transposed(const Tensor& tensor) {
  return {{tensor.dimension(1), tensor.dimension(0)}, typeOf(tensor), memory::format_tag::ba};
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

dnnl::primitive_attr attributesOf(const Linear& operation) {
  return attributes(operation.activation, operation.addend ? matrix(operation.addend) : Descriptor());
}

// The ports of a forward pass whose bias is seen in the given layout.
std::vector<Port> portsOf(const Linear& operation, const Descriptor& weights, const Descriptor& bias) {
  std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, matrix(operation.input)},
                             {DNNL_ARG_WEIGHTS, Port::Role::input, weights},
                             {DNNL_ARG_DST, Port::Role::output, matrix(operation.output)}};
  if (operation.bias) ports.push_back({DNNL_ARG_BIAS, Port::Role::input, bias});
  if (operation.addend) ports.push_back({kAddendArgument, Port::Role::input, matrix(operation.addend)});
  return ports;
}

// One picture: a matrix times a vector, which oneDNN's inner product reads faster than its matrix product
// does.
Prepared prepareVector(const dnnl::engine& engine, const Linear& operation) {
  const Descriptor bias = vectorOf(operation.bias);
  const auto description = describe<dnnl::inner_product_forward>(
      engine, attributesOf(operation), dnnl::prop_kind::forward_inference, matrix(operation.input),
      matrix(operation.weights), bias, matrix(operation.output));
  return {engine, dnnl::inner_product_forward(description), description,
          portsOf(operation, matrix(operation.weights), bias)};
}

// input [N, I] times weights^T [I, O]; the bias [O] is seen as [1, O].
Prepared prepareMatrix(const dnnl::engine& engine, const Linear& operation) {
  const Descriptor bias =
      operation.bias ? Descriptor({1, operation.bias.dimension(0)}, memory::data_type::f32, memory::format_tag::ab)
                     : Descriptor();
  const auto description = describe<dnnl::matmul>(engine, attributesOf(operation), matrix(operation.input),
                                                  transposed(operation.weights), bias, matrix(operation.output));
  return {engine, dnnl::matmul(description), description, portsOf(operation, transposed(operation.weights), bias)};
}

// The forward pass that a backward pass names as its own; weights [O, I] of the input's type.
dnnl::inner_product_forward::primitive_desc describeForward(const dnnl::engine& engine, const Tensor& input,
                                                            const Tensor& output, const Tensor& bias) {
  const Descriptor weights({output.dimension(1), input.dimension(1)}, typeOf(input), memory::format_tag::ab);
  return describe<dnnl::inner_product_forward>(engine, attributes(), dnnl::prop_kind::forward_training, matrix(input),
                                               weights, vectorOf(bias), matrix(output));
}

}  // namespace

void CpuDevice::run(const Linear& operation) {
  if (!fusesActivation(operation)) {
    Linear product = operation;
    product.activation = Activation::none;
    run(product);
    return relu(operation.output, operation.output);
  }
  Key key = keyOf(Kind::linear, operation.input, operation.output);
  key.push_back(static_cast<int64_t>(operation.activation));
  key.push_back(operation.bias ? 1 : 0);
  key.push_back(operation.addend ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    return operation.input.dimension(0) == 1 ? prepareVector(primitives_.engine, operation)
                                             : prepareMatrix(primitives_.engine, operation);
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_WEIGHTS, operation.weights},
                                 {DNNL_ARG_BIAS, operation.bias},
                                 {kAddendArgument, operation.addend},
                                 {DNNL_ARG_DST, operation.output}});
}

void CpuDevice::run(const LinearBackwardInput& operation) {
  const Key key = keyOf(Kind::linearBackwardInput, operation.inputGradient, operation.outputGradient);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto forward = describeForward(primitives_.engine, operation.inputGradient, operation.outputGradient, {});
    const auto description = describeBackward<dnnl::inner_product_backward_data>(
        primitives_.engine, attributes(), forward, matrix(operation.inputGradient), matrix(operation.weights),
        matrix(operation.outputGradient));
    return Prepared(primitives_.engine, dnnl::inner_product_backward_data(description), description,
                    {{DNNL_ARG_DIFF_DST, Port::Role::input, matrix(operation.outputGradient)},
                     {DNNL_ARG_WEIGHTS, Port::Role::input, matrix(operation.weights)},
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
        primitives_.engine, attributes(), forward, matrix(operation.input), matrix(operation.weightGradient),
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
