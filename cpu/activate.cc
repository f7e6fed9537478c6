// ReLU (relu.h), and tanh and sigmoid on oneDNN, forward and backward. The backward pass takes the derivative from the
// output. paper 3.1
//   tensors of any shape, seen as [elements]   fp32 or bf16
#include "device.h"
#include "relu.h"

namespace alexnet::cpu {
namespace {

Descriptor flat(const Tensor& tensor) { return {{tensor.elements()}, typeOf(tensor), dnnl::memory::format_tag::a}; }

Key keyOf(Kind kind, Activation activation, const Tensor& tensor) {
  return {static_cast<int64_t>(kind), static_cast<int64_t>(activation), static_cast<int64_t>(tensor.type),
          tensor.elements()};
}

}  // namespace

void CpuDevice::run(const Activate& operation) {
  if (operation.activation == Activation::relu) return relu(operation.input, operation.output);
  const Key key = keyOf(Kind::activate, operation.activation, operation.input);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const Descriptor layout = flat(operation.input);
    const auto description =
        describeEltwise(primitives_.engine, attributes(), algorithmOf(operation.activation), layout);
    return Prepared(primitives_.engine, dnnl::eltwise_forward(description), description,
                    {{DNNL_ARG_SRC, Port::Role::input, layout}, {DNNL_ARG_DST, Port::Role::output, layout}});
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input}, {DNNL_ARG_DST, operation.output}});
}

void CpuDevice::run(const ActivateBackward& operation) {
  if (operation.activation == Activation::relu) return reluBackward(operation);
  const Key key = keyOf(Kind::activateBackward, operation.activation, operation.output);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto algorithm = operation.activation == Activation::tanh ? dnnl::algorithm::eltwise_tanh_use_dst_for_bwd
                                                                    : dnnl::algorithm::eltwise_logistic_use_dst_for_bwd;
    const Descriptor layout = flat(operation.output);
    const auto forward = describeEltwise(primitives_.engine, attributes(), algorithm, layout);
    const auto description = describeEltwiseBackward(primitives_.engine, attributes(), algorithm, layout, forward);
    return Prepared(primitives_.engine, dnnl::eltwise_backward(description), description,
                    {{DNNL_ARG_DST, Port::Role::input, layout},
                     {DNNL_ARG_DIFF_DST, Port::Role::input, layout},
                     {DNNL_ARG_DIFF_SRC, Port::Role::output, layout}});
  });
  primitives_.execute(prepared, {{DNNL_ARG_DST, operation.output},
                                 {DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_DIFF_SRC, operation.inputGradient}});
}

}  // namespace alexnet::cpu
