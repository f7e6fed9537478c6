#include "args.h"

#include <algorithm>
#include <cmath>

#include "tensor.h"

namespace alexnet::binding {

Arguments::Arguments(const char* operation, const Napi::Value& options)
    : operation_(operation), device_(std::make_shared<std::shared_ptr<Device>>()) {
  if (!options.IsObject()) throw Error(kArgument, std::string(operation) + " takes an options object.");
  options_ = options.As<Napi::Object>();
}

void Arguments::reject(const char* field, const char* expected) const {
  throw Error(kArgument, std::string(operation_) + ": " + within_ + field + " must be " + expected + ".");
}

void Arguments::requireNoOthers() const {
  const Napi::Array names = options_.GetPropertyNames();
  if (names.Length() == given_) return;
  const auto isKnown = [this](const std::string& name) {
    return std::any_of(known_.begin(), known_.end(), [&](const char* known) { return name == known; });
  };
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = Napi::Value(names[i]).ToString();
    if (isKnown(name)) continue;  // given as undefined
    std::string all;
    for (const char* known : known_) all += (all.empty() ? "" : ", ") + std::string(known);
    throw Error(kArgument, std::string(operation_) + ": there is no field '" + within_ + name.substr(0, 40) +
                               "'. There are: " + all + ".");
  }
}

Napi::Value Arguments::get(const char* field) {
  const Napi::Value value = options_.Get(field);
  // Optional ones are asked for twice in a row: whether they are there, and what they are.
  if (!known_.empty() && known_.back() == field) return value;
  known_.push_back(field);
  if (!value.IsUndefined()) ++given_;
  return value;
}

void Arguments::meet(const char* field, const std::shared_ptr<Device>& device) {
  if (!*device_) *device_ = device;
  if (*device_ == device) return;
  throw Error(kDevice, std::string(operation_) + ": " + field + " is on " + device->id() +
                           ", the tensors before it are on " + (*device_)->id() + ". Copy it there first.");
}

Tensor Arguments::optional(const char* field) {
  const Napi::Value value = get(field);
  if (value.IsUndefined() || value.IsNull()) return {};
  return tensor(field);
}

Tensor Arguments::tensor(const char* field) {
  auto [result, device] = placedTensor(field);
  meet(field, device);
  return result;
}

std::pair<Tensor, std::shared_ptr<Device>> Arguments::placedTensor(const char* field) {
  const TensorObject* object = TensorObject::from(get(field));
  if (!object) reject(field, "a tensor");
  return {object->tensor(std::string(operation_) + ": " + field), object->device()};
}

double Arguments::number(const char* field) {
  const Napi::Value value = get(field);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!std::isfinite(number)) reject(field, "a finite number");
  return number;
}

double Arguments::number(const char* field, double otherwise) {
  return get(field).IsUndefined() ? otherwise : number(field);
}

int64_t Arguments::integer(const char* field) {
  const double value = number(field);
  if (std::trunc(value) != value || std::fabs(value) > 9007199254740991.0) reject(field, "an integer");
  return static_cast<int64_t>(value);
}

int64_t Arguments::integer(const char* field, int64_t otherwise) {
  return get(field).IsUndefined() ? otherwise : integer(field);
}

uint32_t Arguments::word(const char* field) {
  const double value = number(field);
  if (std::trunc(value) != value || value < 0 || value > 4294967295.0) {
    reject(field, "an integer from 0 to 4294967295");
  }
  return static_cast<uint32_t>(value);
}

uint64_t Arguments::seed(const char* field) {
  const Napi::Value value = get(field);
  if (value.IsBigInt()) {
    bool lossless = false;
    const uint64_t seed = value.As<Napi::BigInt>().Uint64Value(&lossless);
    if (lossless) return seed;
  } else if (value.IsNumber()) {
    const double seed = value.As<Napi::Number>().DoubleValue();
    if (std::trunc(seed) == seed && seed >= 0 && seed <= 9007199254740991.0) return static_cast<uint64_t>(seed);
  }
  reject(field, "an integer from 0 to 2^64 - 1, a bigint where it is above 2^53 - 1");
}

std::vector<int64_t> Arguments::integers(const char* field) {
  const Napi::Value value = get(field);
  if (!value.IsArray()) reject(field, "an array of integers");
  const auto array = value.As<Napi::Array>();
  std::vector<int64_t> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value entry = array[i];
    const double number = entry.IsNumber() ? entry.As<Napi::Number>().DoubleValue() : std::nan("");
    if (!std::isfinite(number) || std::trunc(number) != number) reject(field, "an array of integers");
    result.push_back(entry.As<Napi::Number>().Int64Value());
  }
  return result;
}

std::vector<int64_t> Arguments::integers(const char* field, std::vector<int64_t> otherwise) {
  return get(field).IsUndefined() ? std::move(otherwise) : integers(field);
}

Activation Arguments::activation(const char* field, Activation otherwise) {
  const Napi::Value value = get(field);
  if (value.IsUndefined()) return otherwise;
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "none") return Activation::none;
  if (name == "relu") return Activation::relu;
  if (name == "tanh") return Activation::tanh;
  if (name == "sigmoid") return Activation::sigmoid;
  reject(field, "'none', 'relu', 'tanh' or 'sigmoid'");
}

bool Arguments::flag(const char* field, bool otherwise) {
  const Napi::Value value = get(field);
  if (value.IsUndefined()) return otherwise;
  if (!value.IsBoolean()) reject(field, "true or false");
  return value.As<Napi::Boolean>().Value();
}

std::vector<Arguments> Arguments::list(const char* field) {
  const Napi::Value value = get(field);
  if (!value.IsArray()) reject(field, "an array");
  const auto array = value.As<Napi::Array>();
  std::vector<Arguments> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    result.emplace_back(operation_, array[i]);
    result.back().device_ = device_;
  }
  return result;
}

Arguments Arguments::object(const char* field) {
  const Napi::Value value = get(field);
  if (!value.IsObject()) reject(field, "an options object");
  Arguments result(operation_, value);
  result.device_ = device_;
  result.within_ = within_ + field + ".";
  return result;
}

const std::shared_ptr<Device>& Arguments::device() const {
  if (!*device_) throw Error(kArgument, std::string(operation_) + " was given no tensor.");
  return *device_;
}

}  // namespace alexnet::binding
