// What the operations need of oneDNN: primitives made once per shape and run on tensors, with reorders where
// a primitive wants another layout than the tensor has.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "memory.h"
#include "onednn.h"

namespace alexnet::cpu {

// Identifies a primitive: its operation, then every dimension and parameter that it depends on.
using Key = std::vector<int64_t>;

// The operations that have a primitive, for keys.
enum class Kind : int64_t {
  convolution,
  convolutionBackwardInput,
  convolutionBackwardWeights,
  linear,
  linearBackwardInput,
  linearBackwardWeights,
  activate,
  activateBackward,
  permutation,
};

// As what type oneDNN sees an fp32 or bf16 tensor: where the processor has no AVX-512 it has no bf16, and is handed such
// tensors as fp32 (Primitives::execute).
dnnl::memory::data_type typeOf(const Tensor& tensor);
// Whether the processor multiplies bf16 numbers.
bool nativeBfloat16();
// oneDNN's version and the instruction set that it uses here: "oneDNN 2.6.3, AVX-512".
std::string arithmetic();
// oneDNN's name of an activation that is one.
dnnl::algorithm algorithmOf(Activation activation);
// Attributes that all primitives share (their scratch memory is ours), with what is done to the result: an fp32 addend
// of the given layout is added, if there is one, and then an activation applied.
dnnl::primitive_attr attributes(Activation activation = Activation::none, const Descriptor& addend = {});
// The argument under which a primitive with these attributes takes its addend.
constexpr int kAddendArgument = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;

// One argument of a primitive (DNNL_ARG_...) as the tensor has it. What the primitive wants is asked of the
// primitive.
struct Port {
  enum class Role { input, weights, output };
  int argument;
  Role role;  // weights: the reordered copy is kept with the buffer until that is written
  Descriptor layout;
};

// A primitive with what it takes to run it on tensors.
struct Prepared {
  Prepared(const dnnl::engine& engine, dnnl::primitive made, const dnnl::primitive_desc_base& description,
           const std::vector<Port>& ports);

  struct Argument {
    Port port;
    Descriptor wanted;
    dnnl::reorder reorder;  // empty where the layouts agree
    size_t scratchOffset;   // of the reordered tensor
  };

  dnnl::primitive primitive;
  Descriptor scratchpad;
  std::vector<Argument> arguments;
  size_t scratchBytes = 0;  // the primitive's own and the reordered tensors
};

// Belongs to one device; used on its queue's thread only.
class Primitives {
 public:
  Primitives(std::string owner, std::shared_ptr<MemoryCounter> counter);

  // The primitive for a key, made by `make` the first time. Good until the next call.
  const Prepared& prepare(const Key& key, const std::function<Prepared()>& make);

  struct Operand {
    int argument;
    const Tensor& tensor;  // empty where there is none
  };
  // Tensors that oneDNN sees in another type are converted on their way in and out.
  void execute(const Prepared& prepared, std::initializer_list<Operand> operands);

  // Memory for the time of one operation. The next call reuses it.
  char* scratch(size_t bytes);

  const dnnl::engine engine{dnnl::engine::kind::cpu, 0};

 private:
  // `wide`: where a bf16 tensor that oneDNN cannot read is converted to, or null.
  char* packed(const Prepared::Argument& argument, const Tensor& tensor, char* wide);
  void run(const dnnl::reorder& reorder, const Descriptor& from, const void* source, const Descriptor& to,
           void* destination);

  const std::string owner_;
  const std::shared_ptr<MemoryCounter> counter_;
  dnnl::stream stream_{engine};
  std::map<Key, Prepared> prepared_;
  Allocation scratch_;
};

}  // namespace alexnet::cpu
