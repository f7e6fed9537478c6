// Convolution, forward and backward, on oneDNN.                                               paper 3.5
//   input [N, H, W, C], output [N, P, Q, K]   fp32 or bf16
//   weights [K, R, S, C / groups]   oneDNN's dimensions are G, K / G, C / G, R, S: group 0's kernels first
// Weights are reordered once into what the primitive likes and kept until they are written.
#include "device.h"
#include "relu.h"

namespace alexnet::cpu {
namespace {

using dnnl::memory;

// How a tensor lies in memory, and what the primitive is asked to take: the same, or what it likes best
// (any).
struct Layout {
  Descriptor lies, asked;
};

// A tensor [N, H, W, C]; oneDNN names its dimensions in the order N, C, H, W whatever the layout.
Layout activation(const Tensor& tensor, bool any) {
  const memory::dims dimensions = {tensor.dimension(0), tensor.dimension(3), tensor.dimension(1), tensor.dimension(2)};
  const Descriptor lies(dimensions, typeOf(tensor), memory::format_tag::nhwc);
  return {lies, any ? Descriptor(dimensions, typeOf(tensor), memory::format_tag::any) : lies};
}

// Weights or their gradient [K, R, S, C / groups]. The primitive's choice is always taken: they are small.
Layout kernels(const Tensor& tensor, int64_t groups) {
  const int64_t k = tensor.dimension(0);
  const int64_t r = tensor.dimension(1);
  const int64_t s = tensor.dimension(2);
  const int64_t c = tensor.dimension(3);
  memory::dims dimensions = {k / groups, c, r, s};
  memory::dims strides = {r * s * c, 1, s * c, c};
  if (groups > 1) {
    dimensions.insert(dimensions.begin(), groups);
    strides.insert(strides.begin(), k / groups * r * s * c);
  }
  return {{dimensions, typeOf(tensor), strides}, {dimensions, typeOf(tensor), memory::format_tag::any}};
}

Descriptor vectorOf(const Tensor& tensor) {
  if (!tensor) return {};
  return {{tensor.dimension(0)}, memory::data_type::f32, memory::format_tag::a};
}

// A convolution as oneDNN describes it: the layouts of the three tensors that each direction has, stride and pads.
struct ConvLayouts {
  ConvLayouts(const Tensor& in, const Tensor& weightsOrGradient, const Tensor& out, const ConvShape& shape,
              bool backward)
      : input(activation(in, backward && prefersBlocked(in, weightsOrGradient))),
        output(activation(out, backward && prefersBlocked(in, weightsOrGradient))),
        weights(kernels(weightsOrGradient, shape.groups)),
        strides{shape.stride, shape.stride},
        before{shape.padTop, shape.padLeft},
        after{shape.padBottom, shape.padRight} {}

  // oneDNN's fp32 backward kernels for channels last are slow on small images and windows: conv3 to conv5 gain a sixth
  // to a third from reordering to blocked channels and back. In bf16, and forward, there is nothing to gain.
  static bool prefersBlocked(const Tensor& in, const Tensor& weights) {
    return in.type == DataType::float32 && weights.dimension(1) * weights.dimension(2) <= 9;
  }

  Layout input, output, weights;
  memory::dims strides, before, after;
};

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

// Weights [K, R, S, C / groups] here have the type of the input, also where `layouts` are those of an fp32
// gradient.
dnnl::convolution_forward::primitive_desc describeForward(const dnnl::engine& engine, const ConvLayouts& layouts,
                                                          const Descriptor& weights, const Descriptor& bias,
                                                          const dnnl::primitive_attr& attributes) {
  return describe<dnnl::convolution_forward>(engine, attributes, dnnl::prop_kind::forward_training,
                                             dnnl::algorithm::convolution_direct, layouts.input.asked, weights, bias,
                                             layouts.output.asked, layouts.strides, layouts.before, layouts.after);
}

}  // namespace

void CpuDevice::run(const Conv2d& operation) {
  if (!fusesActivation(operation)) {
    Conv2d product = operation;
    product.activation = Activation::none;
    run(product);
    return relu(operation.output, operation.output);
  }
  Key key = keyOf(Kind::convolution, operation.input, operation.weights, operation.shape);
  key.push_back(static_cast<int64_t>(operation.output.type));
  key.push_back(static_cast<int64_t>(operation.activation));
  key.push_back(operation.bias ? 1 : 0);
  key.push_back(operation.addend ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const ConvLayouts layouts(operation.input, operation.weights, operation.output, operation.shape, false);
    const Descriptor bias = vectorOf(operation.bias);
    const Descriptor addend = operation.addend ? activation(operation.addend, false).lies : Descriptor();
    const auto description = describeForward(primitives_.engine, layouts, layouts.weights.asked, bias,
                                             attributes(operation.activation, addend));
    std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, layouts.input.lies},
                               {DNNL_ARG_WEIGHTS, Port::Role::weights, layouts.weights.lies},
                               {DNNL_ARG_DST, Port::Role::output, layouts.output.lies}};
    if (operation.bias) ports.push_back({DNNL_ARG_BIAS, Port::Role::input, bias});
    if (operation.addend) ports.push_back({kAddendArgument, Port::Role::input, addend});
    return Prepared(primitives_.engine, dnnl::convolution_forward(description), description, ports);
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_WEIGHTS, operation.weights},
                                 {DNNL_ARG_BIAS, operation.bias},
                                 {kAddendArgument, operation.addend},
                                 {DNNL_ARG_DST, operation.output}});
}

void CpuDevice::run(const Conv2dBackwardInput& operation) {
  const Key key = keyOf(Kind::convolutionBackwardInput, operation.inputGradient, operation.weights, operation.shape);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const ConvLayouts layouts(operation.inputGradient, operation.weights, operation.outputGradient, operation.shape,
                              true);
    const auto forward = describeForward(primitives_.engine, layouts, layouts.weights.asked, {}, attributes());
    const auto description = describeBackward<dnnl::convolution_backward_data>(
        primitives_.engine, attributes(), forward, dnnl::algorithm::convolution_direct, layouts.input.asked,
        layouts.weights.asked, layouts.output.asked, layouts.strides, layouts.before, layouts.after);
    return Prepared(primitives_.engine, dnnl::convolution_backward_data(description), description,
                    {{DNNL_ARG_DIFF_DST, Port::Role::input, layouts.output.lies},
                     {DNNL_ARG_WEIGHTS, Port::Role::weights, layouts.weights.lies},
                     {DNNL_ARG_DIFF_SRC, Port::Role::output, layouts.input.lies}});
  });
  primitives_.execute(prepared, {{DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_WEIGHTS, operation.weights},
                                 {DNNL_ARG_DIFF_SRC, operation.inputGradient}});
}

void CpuDevice::run(const Conv2dBackwardWeights& operation) {
  Key key = keyOf(Kind::convolutionBackwardWeights, operation.input, operation.weightGradient, operation.shape);
  key.push_back(operation.biasGradient ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const ConvLayouts layouts(operation.input, operation.weightGradient, operation.outputGradient, operation.shape,
                              true);
    const Descriptor bias = vectorOf(operation.biasGradient);
    Tensor weights = operation.weightGradient;
    weights.type = operation.input.type;
    const auto forward = describeForward(primitives_.engine, layouts, kernels(weights, operation.shape.groups).asked,
                                         bias, attributes());
    const auto description = describeBackward<dnnl::convolution_backward_weights>(
        primitives_.engine, attributes(), forward, dnnl::algorithm::convolution_direct, layouts.input.asked,
        layouts.weights.asked, bias, layouts.output.asked, layouts.strides, layouts.before, layouts.after);
    std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, layouts.input.lies},
                               {DNNL_ARG_DIFF_DST, Port::Role::input, layouts.output.lies},
                               {DNNL_ARG_DIFF_WEIGHTS, Port::Role::output, layouts.weights.lies}};
    if (bias.get_size() > 0) ports.push_back({DNNL_ARG_DIFF_BIAS, Port::Role::output, bias});
    return Prepared(primitives_.engine, dnnl::convolution_backward_weights(description), description, ports);
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_DIFF_WEIGHTS, operation.weightGradient},
                                 {DNNL_ARG_DIFF_BIAS, operation.biasGradient}});
}

}  // namespace alexnet::cpu
