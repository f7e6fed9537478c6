// ReLU and tanh, forward and backward, on oneDNN. The backward pass takes the derivative from the output.
// paper 3.1
//   tensors of any shape, seen as [elements]   fp32 or bf16
#include "device.h"

namespace alexnet::cpu {
namespace {

Descriptor flat(const Tensor& tensor) { return {{tensor.elements()}, typeOf(tensor), dnnl::memory::format_tag::a}; }

Key keyOf(Kind kind, const Tensor& tensor, Activation activation) {
  return {static_cast<int64_t>(kind), static_cast<int64_t>(tensor.type), tensor.elements(),
          static_cast<int64_t>(activation)};
}

}  // namespace

void CpuDevice::run(const Activate& operation) {
  const Key key = keyOf(Kind::activation, operation.input, operation.activation);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto algorithm =
        operation.activation == Activation::relu ? dnnl::algorithm::eltwise_relu : dnnl::algorithm::eltwise_tanh;
    const Descriptor layout = flat(operation.input);
    const auto description = describeEltwise(primitives_.engine, attributes(), algorithm, layout);
    return Prepared(primitives_.engine, dnnl::eltwise_forward(description), description,
                    {{DNNL_ARG_SRC, Port::Role::input, layout}, {DNNL_ARG_DST, Port::Role::output, layout}});
  });
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input}, {DNNL_ARG_DST, operation.output}});
}

void CpuDevice::run(const ActivateBackward& operation) {
  const Key key = keyOf(Kind::activationBackward, operation.output, operation.activation);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto algorithm = operation.activation == Activation::relu ? dnnl::algorithm::eltwise_relu_use_dst_for_bwd
                                                                    : dnnl::algorithm::eltwise_tanh_use_dst_for_bwd;
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
