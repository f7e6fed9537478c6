#include "primitives.h"

#include <unordered_map>
#include <utility>

#include "cast.h"

namespace alexnet::cpu {
namespace {

constexpr size_t kMostPrepared = 1024;  // a program that comes with ever new shapes must not grow without end

size_t align(size_t bytes) { return (bytes + 63) / 64 * 64; }

// The instruction sets are bit sets that contain those they build on.
bool has(dnnl::cpu_isa needed) {
  const auto have = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto need = static_cast<unsigned>(needed);
  return (have & need) == need;
}

// Whether oneDNN cannot take a tensor as it is: it has bf16 from AVX-512 on.
bool isForeign(const Tensor& tensor) {
  static const bool supported = has(dnnl::cpu_isa::avx512_core);
  return tensor.type == DataType::bfloat16 && !supported;
}

// The fp32 copy of a tensor, if it has one at `wide`, else the tensor.
const void* readable(const Tensor& tensor, char* wide) {
  if (wide == nullptr) return tensor.data();
  widen(tensor, reinterpret_cast<float*>(wide));
  return wide;
}

}  // namespace

dnnl::memory::data_type typeOf(const Tensor& tensor) {
  const bool narrow = tensor.type == DataType::bfloat16 && !isForeign(tensor);
  return narrow ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

bool nativeBfloat16() { return has(dnnl::cpu_isa::avx512_core_bf16); }

std::string arithmetic() {
  using isa = dnnl::cpu_isa;
  const std::pair<isa, const char*> known[] = {{isa::avx512_core_amx, "AVX-512 with AMX"},
                                               {isa::avx512_core_bf16, "AVX-512 with bf16"},
                                               {isa::avx512_core_vnni, "AVX-512 with VNNI"},
                                               {isa::avx512_core, "AVX-512"},
                                               {isa::avx2_vnni, "AVX2 with VNNI"},
                                               {isa::avx2, "AVX2"},
                                               {isa::avx, "AVX"}};
  const char* name = "SSE4.1";
  for (const auto& [set, words] : known) {
    if (!has(set)) continue;
    name = words;
    break;
  }
  const dnnl_version_t& version = *dnnl_version();
  return "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch) + ", " + name;
}

dnnl::algorithm algorithmOf(Activation activation) {
  switch (activation) {
    case Activation::relu: return dnnl::algorithm::eltwise_relu;
    case Activation::tanh: return dnnl::algorithm::eltwise_tanh;
    case Activation::sigmoid: return dnnl::algorithm::eltwise_logistic;
    case Activation::none: break;
  }
  return dnnl::algorithm::undef;
}

dnnl::primitive_attr attributes(Activation activation, const Descriptor& addend) {
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops operations;
  if (addend.get_size() > 0) operations.append_binary(dnnl::algorithm::binary_add, addend);
  if (activation != Activation::none) appendActivation(operations, algorithmOf(activation));
  result.set_post_ops(operations);
  return result;
}

Prepared::Prepared(const dnnl::engine& engine, dnnl::primitive made, const dnnl::primitive_desc_base& description,
                   const std::vector<Port>& ports)
    : primitive(std::move(made)), scratchpad(description.scratchpad_desc()) {
  scratchBytes = align(scratchpad.get_size());
  for (const Port& port : ports) {
    Argument argument{port, description.query_md(dnnl::query::exec_arg_md, port.argument), {}, scratchBytes};
    if (argument.wanted != port.layout) {
      const bool out = port.role == Port::Role::output;
      const Descriptor& from = out ? argument.wanted : port.layout;
      const Descriptor& to = out ? port.layout : argument.wanted;
      argument.reorder = dnnl::reorder(dnnl::reorder::primitive_desc(engine, from, engine, to));
      if (port.role != Port::Role::weights) scratchBytes += align(argument.wanted.get_size());
    }
    arguments.push_back(std::move(argument));
  }
}

Primitives::Primitives(std::string owner, std::shared_ptr<MemoryCounter> counter)
    : owner_(std::move(owner)), counter_(std::move(counter)) {}

const Prepared& Primitives::prepare(const Key& key, const std::function<Prepared()>& make) {
  const auto found = prepared_.find(key);
  if (found != prepared_.end()) return found->second;
  if (prepared_.size() >= kMostPrepared) prepared_.clear();
  return prepared_.emplace(key, make()).first->second;
}

char* Primitives::scratch(size_t bytes) {
  if (bytes > scratch_.bytes()) {
    scratch_ = Allocation();  // first: never hold the old and the new together
    scratch_ = Allocation(bytes, owner_);
  }
  return scratch_.address();
}

void Primitives::run(const dnnl::reorder& reorder, const Descriptor& from, const void* source, const Descriptor& to,
                     void* destination) {
  dnnl::memory input(from, engine, const_cast<void*>(source));
  dnnl::memory output(to, engine, destination);
  reorder.execute(stream_, input, output);
}

char* Primitives::packed(const Prepared::Argument& argument, const Tensor& tensor, char* wide) {
  auto& buffer = static_cast<CpuBuffer&>(*tensor.buffer);
  CpuBuffer::Packed* copy = nullptr;
  for (CpuBuffer::Packed& candidate : buffer.packed) {
    if (candidate.offset == tensor.offset && candidate.layout == argument.wanted) copy = &candidate;
  }
  const uint64_t version = buffer.version;
  if (copy && copy->version == version) return copy->allocation.address();
  if (!copy) {
    buffer.packed.push_back({tensor.offset, argument.wanted, CpuBuffer::kNever,
                             CountedAllocation(argument.wanted.get_size(), owner_, counter_)});
    copy = &buffer.packed.back();
  }
  run(argument.reorder, argument.port.layout, readable(tensor, wide), argument.wanted, copy->allocation.address());
  copy->version = version;
  return copy->allocation.address();
}

void Primitives::execute(const Prepared& prepared, std::initializer_list<Operand> operands) {
  const auto tensorFor = [&](const Prepared::Argument& argument) -> const Tensor& {
    for (const Operand& operand : operands) {
      if (operand.argument == argument.port.argument) return operand.tensor;
    }
    throw std::logic_error("a primitive's argument has no tensor");
  };
  // Where the fp32 copies of tensors lie, behind what the primitive needs; of others there are none.
  std::vector<size_t> copies;
  size_t bytes = prepared.scratchBytes;
  for (const Prepared::Argument& argument : prepared.arguments) {
    copies.push_back(bytes);
    if (isForeign(tensorFor(argument))) bytes += align(argument.port.layout.get_size());
  }
  char* const free = scratch(bytes);
  const auto wideFor = [&](size_t index) {
    return isForeign(tensorFor(prepared.arguments[index])) ? free + copies[index] : nullptr;
  };
  std::unordered_map<int, dnnl::memory> bound;
  const auto bind = [&](int argument, const Descriptor& layout, const void* address) {
    bound.emplace(argument, dnnl::memory(layout, engine, const_cast<void*>(address)));
  };
  if (prepared.scratchpad.get_size() > 0) bind(DNNL_ARG_SCRATCHPAD, prepared.scratchpad, free);
  for (size_t i = 0; i < prepared.arguments.size(); ++i) {
    const Prepared::Argument& argument = prepared.arguments[i];
    const Tensor& tensor = tensorFor(argument);
    char* const wide = wideFor(i);
    const void* address = nullptr;
    if (argument.reorder && argument.port.role == Port::Role::weights) {
      address = packed(argument, tensor, wide);
    } else if (argument.port.role == Port::Role::output) {
      address = argument.reorder ? free + argument.scratchOffset : wide != nullptr ? wide : tensor.mutableData();
    } else {
      address = readable(tensor, wide);
      if (argument.reorder) {
        run(argument.reorder, argument.port.layout, address, argument.wanted, free + argument.scratchOffset);
        address = free + argument.scratchOffset;
      }
    }
    bind(argument.port.argument, argument.wanted, address);
  }
  prepared.primitive.execute(stream_, bound);
  for (size_t i = 0; i < prepared.arguments.size(); ++i) {
    const Prepared::Argument& argument = prepared.arguments[i];
    if (argument.port.role != Port::Role::output) continue;
    const Tensor& tensor = tensorFor(argument);
    char* const wide = wideFor(i);
    if (argument.reorder) {
      run(argument.reorder, argument.wanted, free + argument.scratchOffset, argument.port.layout,
          wide != nullptr ? wide : tensor.mutableData());
    }
    if (wide != nullptr) narrow(reinterpret_cast<const float*>(wide), tensor);
  }
}

}  // namespace alexnet::cpu
