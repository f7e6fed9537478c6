#include "operations.h"

namespace alexnet {
namespace {

std::string of(const char* operation, const char* field) { return std::string(operation) + ": " + field; }

void requireRank(const char* operation, const char* field, const Tensor& tensor, size_t rank) {
  if (tensor.shape.size() == rank) return;
  throw Error(kShape, of(operation, field) + " must have " + std::to_string(rank) + " dimensions, got " +
                          toString(tensor.shape) + ".");
}

void requireShape(const char* operation, const char* field, const Tensor& tensor, const Shape& shape) {
  if (tensor.shape == shape) return;
  throw Error(kShape, of(operation, field) + " must be " + toString(shape) + ", got " + toString(tensor.shape) + ".");
}

void requireType(const char* operation, const char* field, const Tensor& tensor, DataType type) {
  if (tensor.type == type) return;
  throw Error(kDataType, of(operation, field) + " must be " + nameOf(type) + ", got " + nameOf(tensor.type) + ".");
}

void requireReal(const char* operation, const char* field, const Tensor& tensor) {
  if (tensor.type == DataType::float32 || tensor.type == DataType::bfloat16) return;
  throw Error(kDataType, of(operation, field) + " must be float32 or bfloat16, got " + nameOf(tensor.type) + ".");
}

void requireTypeOrFloat(const char* operation, const char* field, const Tensor& tensor, DataType type) {
  requireReal(operation, field, tensor);
  if (tensor.type != DataType::float32) requireType(operation, field, tensor, type);
}

void requireAlike(const char* operation, const char* field, const Tensor& tensor, const Tensor& model) {
  requireType(operation, field, tensor, model.type);
  requireShape(operation, field, tensor, model.shape);
}

void require(bool condition, const char* operation, const std::string& message) {
  if (!condition) throw Error(kArgument, std::string(operation) + ": " + message);
}

// The activations whose slope max pooling's backward pass applies.
void requireFusedSlope(const char* operation, Activation activation) {
  require(activation == Activation::none || activation == Activation::relu, operation,
          "activation must be 'none' or 'relu'.");
}

void requireTf32(const char* operation, bool tf32, const Tensor& operand) {
  require(!tf32 || operand.type == DataType::float32, operation, "tf32 goes with float32 tensors only.");
}

bool sameMemory(const Tensor& a, const Tensor& b) { return a.buffer == b.buffer && a.offset == b.offset; }

// Checks the three tensors that each direction of a convolution has, whatever they are called there.
void validateConvolution(const char* operation, const char* inputName, const Tensor& input, const char* weightName,
                         const Tensor& weights, const char* outputName, const Tensor& output, const ConvShape& shape) {
  requireRank(operation, inputName, input, 4);
  requireRank(operation, weightName, weights, 4);
  require(shape.stride >= 1 && shape.groups >= 1, operation, "stride and groups must be at least 1.");
  require(shape.padTop >= 0 && shape.padLeft >= 0 && shape.padBottom >= 0 && shape.padRight >= 0, operation,
          "pads must not be negative.");
  const int64_t kernels = weights.dimension(0);
  const int64_t channels = input.dimension(3);
  require(kernels % shape.groups == 0 && channels % shape.groups == 0, operation,
          std::to_string(shape.groups) + " groups must divide " + std::to_string(channels) + " channels and " +
              std::to_string(kernels) + " kernels.");
  requireShape(operation, weightName, weights,
               {kernels, weights.dimension(1), weights.dimension(2), channels / shape.groups});
  const int64_t height = input.dimension(1) + shape.padTop + shape.padBottom - weights.dimension(1);
  const int64_t width = input.dimension(2) + shape.padLeft + shape.padRight - weights.dimension(2);
  if (height < 0 || width < 0) {
    throw Error(kShape, std::string(operation) + ": a window of " + std::to_string(weights.dimension(1)) + "x" +
                            std::to_string(weights.dimension(2)) + " does not fit into " + toString(input.shape) +
                            " with these pads.");
  }
  requireShape(operation, outputName, output,
               {input.dimension(0), height / shape.stride + 1, width / shape.stride + 1, kernels});
}

void validateVector(const char* operation, const char* field, const Tensor& tensor, int64_t length) {
  if (!tensor) return;
  requireType(operation, field, tensor, DataType::float32);
  requireShape(operation, field, tensor, {length});
}

void validateLinear(const char* operation, const char* inputName, const Tensor& input, const char* weightName,
                    const Tensor& weights, const char* outputName, const Tensor& output) {
  requireRank(operation, inputName, input, 2);
  requireRank(operation, weightName, weights, 2);
  requireShape(operation, weightName, weights, {weights.dimension(0), input.dimension(1)});
  requireShape(operation, outputName, output, {input.dimension(0), weights.dimension(0)});
}

void validateAddend(const char* operation, const Tensor& addend, const Tensor& output) {
  if (!addend) return;
  requireType(operation, "addend", addend, DataType::float32);
  requireShape(operation, "addend", addend, output.shape);
  require(!sameMemory(addend, output), operation, "addend must not be output.");
}

void validateLrn(const char* operation, const Tensor& input, const LrnShape& shape) {
  requireReal(operation, "input", input);
  requireRank(operation, "input", input, 4);
  require(shape.size >= 1 && shape.size % 2 == 1, operation, "size must be odd.");
  require(shape.columns >= 1 && input.dimension(3) % shape.columns == 0, operation,
          "columns must divide the channels.");
}

void validatePool(const char* operation, const char* inputName, const Tensor& input, const char* outputName,
                  const Tensor& output, const PoolShape& shape) {
  requireReal(operation, inputName, input);
  requireType(operation, outputName, output, input.type);
  requireRank(operation, inputName, input, 4);
  require(shape.size >= 1 && shape.stride >= 1, operation, "size and stride must be at least 1.");
  if (input.dimension(1) < shape.size || input.dimension(2) < shape.size) {
    throw Error(kShape, std::string(operation) + ": a window of " + std::to_string(shape.size) + " does not fit into " +
                            toString(input.shape) + ".");
  }
  requireShape(operation, outputName, output,
               {input.dimension(0), (input.dimension(1) - shape.size) / shape.stride + 1,
                (input.dimension(2) - shape.size) / shape.stride + 1, input.dimension(3)});
}

// A box of a tensor, from `start` on.
void validateBox(const char* operation, const char* field, const Tensor& tensor, const std::vector<int64_t>& start,
                 const Shape& box) {
  require(start.size() == 4, operation, std::string(field) + "Start must have 4 numbers.");
  for (size_t i = 0; i < 4; ++i) {
    require(start[i] >= 0 && start[i] + box[i] <= tensor.dimension(i), operation,
            "a box of " + toString(box) + " from " + field + "Start on leaves " + toString(tensor.shape) + ".");
  }
}

void validateWorkspace(const char* operation, const Tensor& workspace) {
  if (workspace) requireType(operation, "workspace", workspace, DataType::uint8);
}

}  // namespace

void Augment::validate() const {
  requireType(name, "images", images, DataType::uint8);
  requireRank(name, "images", images, 4);
  requireRank(name, "output", output, 4);
  requireReal(name, "output", output);
  const int64_t count = images.dimension(0);
  requireShape(name, "images", images, {count, images.dimension(1), images.dimension(2), 3});
  requireType(name, "views", views, DataType::float32);
  requireShape(name, "views", views, {count, 6});
  requireType(name, "mean", mean, DataType::float32);
  requireShape(name, "mean", mean, {images.dimension(1), images.dimension(2), 3});
  requireShape(name, "output", output, {count, output.dimension(1), output.dimension(2), 3});
  if (output.dimension(1) > images.dimension(1) || output.dimension(2) > images.dimension(2)) {
    throw Error(kShape, std::string(name) + ": a crop of " + toString(output.shape) + " does not fit into " +
                            toString(images.shape) + ".");
  }
}

void Conv2d::validate() const {
  requireReal(name, "input", input);
  requireTf32(name, tf32, input);
  requireType(name, "weights", weights, input.type);
  requireTypeOrFloat(name, "output", output, input.type);
  validateConvolution(name, "input", input, "weights", weights, "output", output, shape);
  validateVector(name, "bias", bias, weights.dimension(0));
  validateAddend(name, addend, output);
}

void Conv2dBackwardInput::validate() const {
  requireReal(name, "outputGradient", outputGradient);
  requireTf32(name, tf32, outputGradient);
  requireType(name, "weights", weights, outputGradient.type);
  requireType(name, "inputGradient", inputGradient, outputGradient.type);
  validateConvolution(name, "inputGradient", inputGradient, "weights", weights, "outputGradient", outputGradient,
                      shape);
}

void Conv2dBackwardWeights::validate() const {
  requireReal(name, "input", input);
  requireTf32(name, tf32, input);
  requireType(name, "outputGradient", outputGradient, input.type);
  requireType(name, "weightGradient", weightGradient, DataType::float32);
  validateConvolution(name, "input", input, "weightGradient", weightGradient, "outputGradient", outputGradient, shape);
  validateVector(name, "biasGradient", biasGradient, weightGradient.dimension(0));
}

void Linear::validate() const {
  requireReal(name, "input", input);
  requireTf32(name, tf32, input);
  requireType(name, "weights", weights, input.type);
  requireTypeOrFloat(name, "output", output, input.type);
  validateLinear(name, "input", input, "weights", weights, "output", output);
  validateVector(name, "bias", bias, weights.dimension(0));
  validateAddend(name, addend, output);
}

void LinearBackwardInput::validate() const {
  requireReal(name, "outputGradient", outputGradient);
  requireTf32(name, tf32, outputGradient);
  requireType(name, "weights", weights, outputGradient.type);
  requireType(name, "inputGradient", inputGradient, outputGradient.type);
  validateLinear(name, "inputGradient", inputGradient, "weights", weights, "outputGradient", outputGradient);
}

void LinearBackwardWeights::validate() const {
  requireReal(name, "input", input);
  requireTf32(name, tf32, input);
  requireType(name, "outputGradient", outputGradient, input.type);
  requireType(name, "weightGradient", weightGradient, DataType::float32);
  validateLinear(name, "input", input, "weightGradient", weightGradient, "outputGradient", outputGradient);
  validateVector(name, "biasGradient", biasGradient, weightGradient.dimension(0));
}

void Activate::validate() const {
  requireReal(name, "input", input);
  requireAlike(name, "output", output, input);
  require(activation != Activation::none, name, "activation must be 'relu', 'tanh' or 'sigmoid'.");
}

void ActivateBackward::validate() const {
  requireReal(name, "output", output);
  requireAlike(name, "outputGradient", outputGradient, output);
  requireAlike(name, "inputGradient", inputGradient, output);
  require(activation != Activation::none, name, "activation must be 'relu', 'tanh' or 'sigmoid'.");
}

void Lrn::validate() const {
  validateLrn(name, input, shape);
  requireAlike(name, "output", output, input);
  validateWorkspace(name, workspace);
}

void LrnBackward::validate() const {
  validateLrn(name, input, shape);
  requireAlike(name, "outputGradient", outputGradient, input);
  requireAlike(name, "inputGradient", inputGradient, input);
  require(!sameMemory(inputGradient, outputGradient), name, "inputGradient must not be outputGradient.");
  validateWorkspace(name, workspace);
}

void MaxPool::validate() const {
  validatePool(name, "input", input, "output", output, shape);
  validateWorkspace(name, workspace);
}

void MaxPoolBackward::validate() const {
  validatePool(name, "inputGradient", inputGradient, "outputGradient", outputGradient, shape);
  requireFusedSlope(name, activation);
  require(bool(output) == (activation == Activation::relu), name,
          "output goes with activation 'relu', and only with it.");
  if (output) requireAlike(name, "output", output, outputGradient);
  validateWorkspace(name, workspace);
}

void LrnMaxPool::validate() const {
  validateLrn(name, input, lrn);
  validatePool(name, "input", input, "output", output, pool);
  validateWorkspace(name, workspace);
}

void LrnMaxPoolBackward::validate() const {
  validateLrn(name, input, lrn);
  validatePool(name, "input", input, "outputGradient", outputGradient, pool);
  requireAlike(name, "inputGradient", inputGradient, input);
  require(!sameMemory(inputGradient, input), name, "inputGradient must not be input.");
  requireFusedSlope(name, activation);
  validateWorkspace(name, workspace);
}

void Dropout::validate() const {
  requireReal(name, "input", input);
  requireRank(name, "input", input, 2);
  requireAlike(name, "output", output, input);
  require(rate >= 0 && rate < 1, name, "rate must be at least 0 and below 1.");
  require(offset >= 0 && offset + input.dimension(1) <= features, name, "offset and width must lie within features.");
}

void SoftmaxLoss::validate() const {
  requireType(name, "logits", logits, DataType::float32);
  requireRank(name, "logits", logits, 2);
  requireType(name, "labels", labels, DataType::int32);
  requireShape(name, "labels", labels, {logits.dimension(0)});
  requireType(name, "result", result, DataType::float32);
  requireShape(name, "result", result, {3});
  if (!gradient) return;
  requireReal(name, "gradient", gradient);
  requireShape(name, "gradient", gradient, logits.shape);
}

void Softmax::validate() const {
  requireType(name, "logits", logits, DataType::float32);
  requireRank(name, "logits", logits, 2);
  requireAlike(name, "probabilities", probabilities, logits);
}

void Sgd::validate() const {
  for (const SgdParameter& parameter : parameters) {
    requireType(name, "weights", parameter.weights, DataType::float32);
    requireAlike(name, "velocity", parameter.velocity, parameter.weights);
    requireAlike(name, "gradient", parameter.gradient, parameter.weights);
    if (!parameter.copy) continue;
    requireType(name, "copy", parameter.copy, DataType::bfloat16);
    requireShape(name, "copy", parameter.copy, parameter.weights.shape);
  }
}

void Cast::validate() const {
  requireShape(name, "output", output, input.shape);
  requireReal(name, "output", output);
  if (input.type == DataType::float32 || input.type == DataType::bfloat16) return;
  requireType(name, "output", output, DataType::float32);
}

void Copy::validate() const { requireAlike(name, "output", output, input); }

void Fill::validate() const { requireReal(name, "output", output); }

void Add::validate() const {
  requireReal(name, "input", input);
  requireAlike(name, "addend", addend, input);
  requireAlike(name, "output", output, input);
}

Shape Permute::box() const {
  if (!inputStart.empty()) return output.shape;
  Shape result;
  for (const int64_t axis : axes) result.push_back(input.dimension(static_cast<size_t>(axis)));
  return result;
}

void Permute::validate() const {
  requireType(name, "input", input, DataType::float32);
  requireType(name, "output", output, DataType::float32);
  requireRank(name, "input", input, 4);
  requireRank(name, "output", output, 4);
  require(axes.size() == 4, name, "axes must name 4 dimensions.");
  Shape read(4);  // the box in input's order
  unsigned seen = 0;
  for (const int64_t axis : axes) {
    require(axis >= 0 && axis < 4 && (seen & (1U << axis)) == 0, name, "axes must be a permutation of 0, 1, 2, 3.");
    seen |= 1U << axis;
  }
  require(inputStart.empty() || outputStart.empty(), name, "either inputStart or outputStart may be given, not both.");
  const Shape written = box();
  for (size_t i = 0; i < 4; ++i) read[static_cast<size_t>(axes[i])] = written[i];
  if (!inputStart.empty()) {
    validateBox(name, "input", input, inputStart, read);
  } else if (!outputStart.empty()) {
    validateBox(name, "output", output, outputStart, written);
  } else {
    requireShape(name, "output", output, written);
  }
  require(!sameMemory(input, output), name, "output must not be input.");
}

void Normal::validate() const { requireType(name, "output", output, DataType::float32); }

}  // namespace alexnet
