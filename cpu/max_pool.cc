// Overlapped max pooling, forward and backward, on oneDNN. paper 3.4
//   input [N, H, W, C], output [N, P, Q, C]   fp32 or bf16
//   workspace: which input of its window each output is, as oneDNN writes it
#include "device.h"

namespace alexnet::cpu {
namespace {

dnnl::pooling_forward::primitive_desc describeForward(const dnnl::engine& engine, dnnl::prop_kind kind,
                                                      const Tensor& input, const Tensor& output,
                                                      const PoolShape& shape) {
  return describePool(engine, attributes(), kind, channelsLast(input), channelsLast(output),
                      {shape.stride, shape.stride}, {shape.size, shape.size});
}

Key keyOf(Kind kind, const Tensor& input, const PoolShape& shape) {
  return {static_cast<int64_t>(kind),
          static_cast<int64_t>(input.type),
          input.dimension(0),
          input.dimension(1),
          input.dimension(2),
          input.dimension(3),
          shape.size,
          shape.stride};
}

void requireBytes(const Tensor& workspace, size_t bytes) {
  if (workspace.bytes() >= bytes) return;
  throw Error(kShape, "workspace must have " + std::to_string(bytes) +
                          " bytes, as maxPoolWorkspaceBytes says, got " + std::to_string(workspace.bytes()) +
                          ".");
}

}  // namespace

size_t CpuDevice::workspaceBytes(const MaxPool& operation) {
  return describeForward(primitives_.engine, dnnl::prop_kind::forward_training, operation.input,
                         operation.output, operation.shape)
      .workspace_desc()
      .get_size();
}

void CpuDevice::run(const MaxPool& operation) {
  Key key = keyOf(Kind::maxPool, operation.input, operation.shape);
  key.push_back(operation.workspace ? 1 : 0);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const auto description = describeForward(
        primitives_.engine,
        operation.workspace ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
        operation.input, operation.output, operation.shape);
    std::vector<Port> ports = {{DNNL_ARG_SRC, Port::Role::input, channelsLast(operation.input)},
                               {DNNL_ARG_DST, Port::Role::output, channelsLast(operation.output)}};
    if (operation.workspace) {
      ports.push_back({DNNL_ARG_WORKSPACE, Port::Role::output, description.workspace_desc()});
    }
    return Prepared(primitives_.engine, dnnl::pooling_forward(description), description, ports);
  });
  if (operation.workspace) requireBytes(operation.workspace, prepared.arguments.back().wanted.get_size());
  primitives_.execute(prepared, {{DNNL_ARG_SRC, operation.input},
                                 {DNNL_ARG_DST, operation.output},
                                 {DNNL_ARG_WORKSPACE, operation.workspace}});
}

void CpuDevice::run(const MaxPoolBackward& operation) {
  const Key key = keyOf(Kind::maxPoolBackward, operation.inputGradient, operation.shape);
  const Prepared& prepared = primitives_.prepare(key, [&] {
    const Tensor& input = operation.inputGradient;
    const Tensor& output = operation.outputGradient;
    const auto forward = describeForward(primitives_.engine, dnnl::prop_kind::forward_training, input, output,
                                         operation.shape);
    const auto description =
        describePoolBackward(primitives_.engine, attributes(), channelsLast(input), channelsLast(output),
                             {operation.shape.stride, operation.shape.stride},
                             {operation.shape.size, operation.shape.size}, forward);
    return Prepared(primitives_.engine, dnnl::pooling_backward(description), description,
                    {{DNNL_ARG_DIFF_DST, Port::Role::input, channelsLast(output)},
                     {DNNL_ARG_DIFF_SRC, Port::Role::output, channelsLast(input)},
                     {DNNL_ARG_WORKSPACE, Port::Role::input, forward.workspace_desc()}});
  });
  requireBytes(operation.workspace, prepared.arguments.back().wanted.get_size());
  primitives_.execute(prepared, {{DNNL_ARG_DIFF_DST, operation.outputGradient},
                                 {DNNL_ARG_DIFF_SRC, operation.inputGradient},
                                 {DNNL_ARG_WORKSPACE, operation.workspace}});
}

}  // namespace alexnet::cpu
