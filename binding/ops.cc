#include "ops.h"

#include <tuple>

#include "args.h"
#include "errors.h"
#include "event.h"

namespace alexnet::binding {
namespace {

ConvShape convShape(Arguments& args) {
  const std::vector<int64_t> pads = args.integers("pads");
  if (pads.size() != 4) args.reject("pads", "[top, left, bottom, right]");
  return {args.integer("stride", 1), pads[0], pads[1], pads[2], pads[3], args.integer("groups", 1)};
}

bool tf32(Arguments& args) { return args.flag("tf32", false); }

PoolShape poolShape(Arguments& args) { return {args.integer("size"), args.integer("stride")}; }

LrnShape lrnShape(Arguments& args) {
  return {args.integer("columns", 1), args.integer("size"), static_cast<float>(args.number("alpha")),
          static_cast<float>(args.number("beta")), static_cast<float>(args.number("k"))};
}

// One overload per operation: from the options object to the value in core/operations.h.
void parse(Arguments& args, Augment& op) {
  op = {args.tensor("images"), args.tensor("views"), args.tensor("mean"), args.tensor("output")};
}
void parse(Arguments& args, Conv2d& op) {
  op = {args.tensor("input"),
        args.tensor("weights"),
        args.optional("bias"),
        args.optional("addend"),
        args.tensor("output"),
        convShape(args),
        args.activation("activation", Activation::none),
        tf32(args)};
}
void parse(Arguments& args, Conv2dBackwardInput& op) {
  op = {args.tensor("outputGradient"), args.tensor("weights"), args.tensor("inputGradient"), convShape(args),
        tf32(args)};
}
void parse(Arguments& args, Conv2dBackwardWeights& op) {
  op = {args.tensor("input"),
        args.tensor("outputGradient"),
        args.tensor("weightGradient"),
        args.optional("biasGradient"),
        convShape(args),
        tf32(args)};
}
void parse(Arguments& args, Linear& op) {
  op = {args.tensor("input"),
        args.tensor("weights"),
        args.optional("bias"),
        args.optional("addend"),
        args.tensor("output"),
        args.activation("activation", Activation::none),
        tf32(args)};
}
void parse(Arguments& args, LinearBackwardInput& op) {
  op = {args.tensor("outputGradient"), args.tensor("weights"), args.tensor("inputGradient"), tf32(args)};
}
void parse(Arguments& args, LinearBackwardWeights& op) {
  op = {args.tensor("input"), args.tensor("outputGradient"), args.tensor("weightGradient"),
        args.optional("biasGradient"), tf32(args)};
}
void parse(Arguments& args, Activate& op) {
  op = {args.tensor("input"), args.tensor("output"), args.activation("activation", Activation::none)};
}
void parse(Arguments& args, ActivateBackward& op) {
  op = {args.tensor("output"), args.tensor("outputGradient"), args.tensor("inputGradient"),
        args.activation("activation", Activation::none)};
}
void parse(Arguments& args, Lrn& op) {
  op = {args.tensor("input"), args.tensor("output"), args.optional("workspace"), lrnShape(args)};
}
void parse(Arguments& args, LrnBackward& op) {
  op = {args.tensor("input"), args.tensor("outputGradient"), args.tensor("inputGradient"), args.optional("workspace"),
        lrnShape(args)};
}
void parse(Arguments& args, MaxPool& op) {
  op = {args.tensor("input"), args.tensor("output"), args.optional("workspace"), poolShape(args)};
}
void parse(Arguments& args, MaxPoolBackward& op) {
  op = {args.tensor("outputGradient"), args.tensor("inputGradient"),
        args.tensor("workspace"),      poolShape(args),
        args.optional("output"),       args.activation("activation", Activation::none)};
}
template <class Shape>
Shape within(Arguments& args, const char* field, Shape (*shapeOf)(Arguments&)) {
  Arguments options = args.object(field);
  const Shape shape = shapeOf(options);
  options.requireNoOthers();
  return shape;
}
void parse(Arguments& args, LrnMaxPool& op) {
  op = {args.tensor("input"), args.tensor("output"), args.optional("workspace"), within(args, "lrn", lrnShape),
        within(args, "pool", poolShape)};
}
void parse(Arguments& args, LrnMaxPoolBackward& op) {
  op = {args.tensor("input"),
        args.tensor("outputGradient"),
        args.tensor("inputGradient"),
        args.tensor("workspace"),
        within(args, "lrn", lrnShape),
        within(args, "pool", poolShape),
        args.activation("activation", Activation::none)};
}
void parse(Arguments& args, Dropout& op) {
  op.input = args.tensor("input");
  op.output = args.tensor("output");
  op.rate = static_cast<float>(args.number("rate"));
  op.seed = args.seed("seed");
  op.step = args.word("step");
  op.layer = args.word("layer");
  op.features = args.integer("features");
  op.offset = args.integer("offset", 0);
}
void parse(Arguments& args, SoftmaxLoss& op) {
  op = {args.tensor("logits"), args.tensor("labels"), args.tensor("result"), args.optional("gradient")};
}
void parse(Arguments& args, Softmax& op) { op = {args.tensor("logits"), args.tensor("probabilities")}; }
void parse(Arguments& args, Sgd& op) {
  op.momentum = static_cast<float>(args.number("momentum"));
  for (Arguments& entry : args.list("parameters")) {
    op.parameters.push_back({entry.tensor("weights"), entry.tensor("velocity"), entry.tensor("gradient"),
                             entry.optional("copy"), static_cast<float>(entry.number("learningRate")),
                             static_cast<float>(entry.number("weightDecay"))});
    entry.requireNoOthers();
  }
}
void parse(Arguments& args, Cast& op) { op = {args.tensor("input"), args.tensor("output")}; }
void parse(Arguments& args, Fill& op) { op = {args.tensor("output"), static_cast<float>(args.number("value"))}; }
void parse(Arguments& args, Add& op) { op = {args.tensor("input"), args.tensor("addend"), args.tensor("output")}; }
void parse(Arguments& args, Permute& op) {
  op = {args.tensor("input"), args.tensor("output"), args.integers("axes"), args.integers("inputStart", {}),
        args.integers("outputStart", {})};
}
void parse(Arguments& args, Normal& op) {
  op = {args.tensor("output"), args.seed("seed"), args.word("stream"), static_cast<float>(args.number("deviation"))};
}

template <class Operation>
Operation parsed(Arguments& args) {
  Operation operation;
  parse(args, operation);
  args.requireNoOthers();
  return operation;
}

template <class Operation>
void call(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    Arguments args(Operation::name, info[0]);
    auto operation = parsed<Operation>(args);
    args.device()->enqueue(std::move(operation));
  });
}

// The ends of a copy may be on two devices.
struct Transfer {
  Transfer(const char* name, const Napi::Value& options) {
    Arguments args(name, options);
    std::tie(operation.input, from) = args.placedTensor("input");
    std::tie(operation.output, to) = args.placedTensor("output");
    args.requireNoOthers();
  }
  Copy operation;
  std::shared_ptr<Device> from, to;
};

// copy({input, output}): within a device, or from one device to another in the order of both queues.
template <>
void call<Copy>(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    const auto [operation, from, to] = Transfer(Copy::name, info[0]);
    if (from == to) {
      from->enqueue(operation);
    } else {
      operation.validate();
      Device::copyAcross(*from, operation.input, *to, operation.output);
    }
  });
}

// send({input, output}): begins a copy to another device beside both queues; returns an event to wait for.
Napi::Value send(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto [operation, from, to] = Transfer("send", info[0]);
    operation.validate();
    if (from == to) throw Error(kDevice, "send: input and output are on one device. Use copy.");
    return eventValue(info.Env(), Device::send(*from, operation.input, *to, operation.output));
  });
}

template <class Operation>
Napi::Value workspaceBytes(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Arguments args(Operation::name, info[0]);
    const auto operation = parsed<Operation>(args);
    operation.validate();
    return Napi::Number::New(info.Env(), static_cast<double>(args.device()->workspaceBytes(operation)));
  });
}

template <class... Operations>
void exportAll(Napi::Env env, Napi::Object exports, List<Operations...>) {
  (exports.Set(Operations::name, Napi::Function::New<call<Operations>>(env, Operations::name)), ...);
}

}  // namespace

void exportOperations(Napi::Env env, Napi::Object exports) {
  exportAll(env, exports, AllOperations{});
  exports.Set("send", Napi::Function::New<send>(env, "send"));
  exports.Set("lrnWorkspaceBytes", Napi::Function::New<workspaceBytes<Lrn>>(env, "lrnWorkspaceBytes"));
  exports.Set("maxPoolWorkspaceBytes", Napi::Function::New<workspaceBytes<MaxPool>>(env, "maxPoolWorkspaceBytes"));
}

}  // namespace alexnet::binding
