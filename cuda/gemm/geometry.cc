#include "geometry.cuh"

namespace alexnet::cuda {
namespace {

int narrow(const char* operation, const char* what, int64_t value) {
  if (value <= INT32_MAX) return static_cast<int>(value);
  throw Error(kArgument,
              std::string(operation) + ": " + what + " must be below 2^31 on CUDA, got " + std::to_string(value) + ".");
}

}  // namespace

ConvGeometry geometryOf(const char* operation, const Tensor& input, const Tensor& weights, const Tensor& output,
                        const ConvShape& shape) {
  const auto fits = [&](const char* what, int64_t value) { return narrow(operation, what, value); };
  ConvGeometry geometry;
  geometry.images = fits("the number of pictures", input.dimension(0));
  fits("the padded height", input.dimension(1) + shape.padTop + shape.padBottom);
  fits("the padded width", input.dimension(2) + shape.padLeft + shape.padRight);
  fits("the rows of all pictures", input.dimension(0) * std::max(input.dimension(1), output.dimension(1)));
  geometry.height = static_cast<int>(input.dimension(1));
  geometry.width = static_cast<int>(input.dimension(2));
  geometry.channels = fits("the number of channels", input.dimension(3));
  geometry.outputHeight = static_cast<int>(output.dimension(1));
  geometry.outputWidth = static_cast<int>(output.dimension(2));
  geometry.kernels = fits("the number of kernels", output.dimension(3));
  geometry.windowHeight = static_cast<int>(weights.dimension(1));
  geometry.windowWidth = static_cast<int>(weights.dimension(2));
  geometry.stride = fits("stride", shape.stride);
  geometry.padTop = static_cast<int>(shape.padTop);
  geometry.padLeft = static_cast<int>(shape.padLeft);
  geometry.groups = static_cast<int>(shape.groups);
  geometry.groupChannels = geometry.channels / geometry.groups;
  geometry.groupKernels = geometry.kernels / geometry.groups;
  geometry.rowElements = fits("the elements of a picture's row", input.dimension(2) * input.dimension(3));
  geometry.outputRowElements = fits("the elements of a picture's row", output.dimension(2) * output.dimension(3));
  geometry.kernelElements = fits("a kernel's number of weights", weights.elements() / geometry.kernels);
  const int step = stepDepth(sizeOf(input.type));
  geometry.inputTaps = radixOf(geometry.windowWidth, geometry.groupChannels, step);
  geometry.outputTaps = radixOf(geometry.windowWidth, geometry.groupKernels, step);
  geometry.inputPixels = radixOf(geometry.height, geometry.width, step);
  geometry.outputPixels = radixOf(geometry.outputHeight, geometry.outputWidth, step);
  return geometry;
}

}  // namespace alexnet::cuda
