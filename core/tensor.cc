#include "tensor.h"

namespace alexnet {

size_t sizeOf(DataType type) {
  switch (type) {
    case DataType::float32:
    case DataType::int32: return 4;
    case DataType::bfloat16: return 2;
    case DataType::uint8: return 1;
  }
  return 0;
}

const char* nameOf(DataType type) {
  switch (type) {
    case DataType::float32: return "float32";
    case DataType::bfloat16: return "bfloat16";
    case DataType::int32: return "int32";
    case DataType::uint8: return "uint8";
  }
  return "unknown";
}

int64_t elementsOf(const Shape& shape) {
  int64_t elements = 1;
  for (const int64_t dimension : shape) elements *= dimension;
  return elements;
}

std::string toString(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Tensor Tensor::view(Shape newShape, DataType newType, size_t byteOffset) const {
  Tensor result{buffer, offset + byteOffset, newType, std::move(newShape)};
  if (byteOffset % sizeOf(newType) != 0 || result.offset + result.bytes() > buffer->bytes) {
    throw Error(kShape, "A view of shape " + toString(result.shape) + " and type " + nameOf(newType) + " at byte " +
                            std::to_string(byteOffset) + " does not fit into a tensor of " +
                            std::to_string(buffer->bytes - offset) + " bytes.");
  }
  return result;
}

}  // namespace alexnet
