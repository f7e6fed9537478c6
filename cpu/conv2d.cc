// Convolution, forward and backward, on oneDNN. paper 3.5
//   input   [N, H, W, C], output [N, P, Q, K]   fp32 or bf16
//   weights [K, R, S, C / groups]               oneDNN's dimensions are G, K / G, C / G, R, S; group 0's
//   kernels first
// Weights are reordered once into what the primitive likes and kept until they are written.
#include "device.h"

namespace alexnet::cpu {
namespace {

using dnnl::memory;

// A convolution as oneDNN describes it, from the three tensors that each direction has.
struct Geometry {
  Geometry(const Tensor& input, const Tensor& weights, const Tensor& output, const ConvShape& shape);

  memory::dims inputDimensions, weightDimensions, outputDimensions;
  Descriptor input, output;             // as the tensors lie
  Descriptor weights32, weights;        // as the tensor lies: gradients fp32, weights of the input's type
  Descriptor anyWeights32, anyWeights;  // as the primitive likes
  Descriptor bias;                      // [K] fp32
  memory::dims strides, before, after;
};

// A tensor [N, H, W, C]; oneDNN names its dimensions in the order N, C, H, W whatever the layout.
Descriptor channelsLast(const Tensor& tensor) {
  return {{tensor.dimension(0), tensor.dimension(3), tensor.dimension(1), tensor.dimension(2)},
          typeOf(tensor),
          dnnl::memory::format_tag::nhwc};
}

Geometry::Geometry(const Tensor& in, const Tensor& kernels, const Tensor& out, const ConvShape& shape)
    : input(channelsLast(in)),
      output(channelsLast(out)),
      bias({out.dimension(3)}, memory::data_type::f32, memory::format_tag::a),
      strides{shape.stride, shape.stride},
      before{shape.padTop, shape.padLeft},
      after{shape.padBottom, shape.padRight} {
  const int64_t k = kernels.dimension(0);
  const int64_t r = kernels.dimension(1);
  const int64_t s = kernels.dimension(2);
  const int64_t c = kernels.dimension(3);
  memory::dims lies;
  if (shape.groups == 1) {
    weightDimensions = {k, c, r, s};
    lies = {r * s * c, 1, s * c, c};
  } else {
    const int64_t perGroup = k / shape.groups;
    weightDimensions = {shape.groups, perGroup, c, r, s};
    lies = {perGroup * r * s * c, r * s * c, 1, s * c, c};
  }
  weights = Descriptor(weightDimensions, typeOf(in), lies);
  weights32 = Descriptor(weightDimensions, memory::data_type::f32, lies);
  anyWeights = Descriptor(weightDimensions, typeOf(in), memory::format_tag::any);
  anyWeights32 = Descriptor(weightDimensions, memory::data_type::f32, memory::format_tag::any);
}

Key keyOf(Kind kind, const Tensor& input, const Tensor& weights, const ConvShape& shape) {
  return {static_cast<int64_t>(kind),
          static_cast<int64_t>(input.type),
          input.dimension(0),
          input.dimension(1),
          input.dimension(2),
          input.dimension(3),
          weights.dimension(0),
          weights.dimension(1),
          weights.dimension(2),
          shape.groups,
          shape.stride,
          shape.padTop,
          shape.padLeft,
          shape.padBottom,
          shape.padRight};
}

dnnl::convolution_forward::primitive_desc describeForward(const dnnl::engine& engine, const Geometry& geometry,
                                                          bool bias, Activation activation) {
  return describe<dnnl::convolution_forward>(engine, attributes(activation), dnnl::prop_kind::forward_training,
                                             dnnl::algorithm::convolution_direct, geometry.input, geometry.anyWeights,
                                             bias ? geometry.bias : Descriptor(), geometry.output, geometry.strides,
                                             geometry.before, geometry.after);
}

}  // namespace

void CpuDevice::run(const Conv2d& operation) {
  Key key = keyOf(Kind::convolution, operation.input, operation.weights, operation.shape);
  key.push_back(static_cast<int64_t>(operation.activation));
  key.push_back(operation.bias ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const Geometry geometry(operation.input, operation.weights, operation.output, operation.shape);
    const auto description =
        describeForward(primitives_.engine, geometry, static_cast<bool>(operation.bias), operation.activation);
    std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, geometry.input},
                               {DNNL_ARG_WEIGHTS, Port::Role::weights, geometry.weights},
                               {DNNL_ARG_DST, Port::Role::output, geometry.output}};
    if (operation.bias) ports.push_back({DNNL_ARG_BIAS, Port::Role::input, geometry.bias});
    return Prepared(primitives_.engine, dnnl::convolution_forward(description), description, ports);
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_WEIGHTS, operation.weights},
                                 {DNNL_ARG_BIAS, operation.bias},
                                 {DNNL_ARG_DST, operation.output}});
}

void CpuDevice::run(const Conv2dBackwardInput& operation) {
  const Key key = keyOf(Kind::convolutionBackwardInput, operation.inputGradient, operation.weights, operation.shape);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const Geometry geometry(operation.inputGradient, operation.weights, operation.outputGradient, operation.shape);
    const auto forward = describeForward(primitives_.engine, geometry, false, Activation::none);
    const auto description = describeBackward<dnnl::convolution_backward_data>(
        primitives_.engine, attributes(), forward, dnnl::algorithm::convolution_direct, geometry.input,
        geometry.anyWeights, geometry.output, geometry.strides, geometry.before, geometry.after);
    return Prepared(primitives_.engine, dnnl::convolution_backward_data(description), description,
                    {{DNNL_ARG_DIFF_DST, Port::Role::input, geometry.output},
                     {DNNL_ARG_WEIGHTS, Port::Role::weights, geometry.weights},
                     {DNNL_ARG_DIFF_SRC, Port::Role::output, geometry.input}});
  });
  primitives_.execute(prepared, {{DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_WEIGHTS, operation.weights},
                                 {DNNL_ARG_DIFF_SRC, operation.inputGradient}});
}

void CpuDevice::run(const Conv2dBackwardWeights& operation) {
  Key key = keyOf(Kind::convolutionBackwardWeights, operation.input, operation.weightGradient, operation.shape);
  key.push_back(operation.biasGradient ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const Geometry geometry(operation.input, operation.weightGradient, operation.outputGradient, operation.shape);
    const bool bias = static_cast<bool>(operation.biasGradient);
    const auto forward = describeForward(primitives_.engine, geometry, bias, Activation::none);
    const auto description = describeBackward<dnnl::convolution_backward_weights>(
        primitives_.engine, attributes(), forward, dnnl::algorithm::convolution_direct, geometry.input,
        geometry.anyWeights32, bias ? geometry.bias : Descriptor(), geometry.output, geometry.strides, geometry.before,
        geometry.after);
    std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, geometry.input},
                               {DNNL_ARG_DIFF_DST, Port::Role::input, geometry.output},
                               {DNNL_ARG_DIFF_WEIGHTS, Port::Role::output, geometry.weights32}};
    if (bias) ports.push_back({DNNL_ARG_DIFF_BIAS, Port::Role::output, geometry.bias});
    return Prepared(primitives_.engine, dnnl::convolution_backward_weights(description), description, ports);
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_DIFF_WEIGHTS, operation.weightGradient},
                                 {DNNL_ARG_DIFF_BIAS, operation.biasGradient}});
}

}  // namespace alexnet::cpu
