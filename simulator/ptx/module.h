// A PTX module as text became data: functions with their statements, variables, and where in the source each came from.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace alexnet::simulator::ptx {

// By their sizes.
enum class Type {
  none,
  pred,
  b8,
  s8,
  u8,
  b16,
  s16,
  u16,
  f16,
  bf16,
  b32,
  s32,
  u32,
  f32,
  f16x2,
  bf16x2,
  tf32,
  b64,
  s64,
  u64,
  f64
};

// Type::none where the name is no type. `name` has no dot: "f32".
Type typeNamed(const std::string& name);

// Asked for each lane of a conversion, so the compiler must see them.
constexpr int bytesOf(Type type) {
  if (type == Type::none) return 0;
  return type < Type::b16 ? 1 : type < Type::b32 ? 2 : type < Type::b64 ? 4 : 8;  // in the order of the types
}
constexpr bool isFloat(Type type) {
  return type == Type::f16 || type == Type::bf16 || type == Type::f32 || type == Type::f64 || type == Type::tf32 ||
         type == Type::f16x2 || type == Type::bf16x2;
}
constexpr bool isSigned(Type type) {
  return type == Type::s8 || type == Type::s16 || type == Type::s32 || type == Type::s64;
}

// Where a statement came from; of an inlined function also who called it, 0 otherwise.
struct Location {
  int file = 0;
  int line = 0;
  int callerFile = 0;
  int callerLine = 0;
};

struct Operand {
  enum class Kind { name, immediate, address, list };
  Kind kind = Kind::name;
  std::string name;    // a register (%r1), variable, label or function; of an address its base, empty for none
  std::string second;  // the other destination of "%p1|%p2"
  bool negated = false;
  uint64_t bits = 0;    // of an immediate; fp32 in the lower half
  bool single = false;  // the immediate was written as fp32 (0f...)
  int64_t offset = 0;   // of an address
  std::vector<Operand> list;
};

struct Statement {
  std::string opcode;              // "ld.global.v4.f32"
  std::vector<std::string> parts;  // of the opcode: {"ld", "global", "v4", "f32"}
  std::string guard;               // predicate register, or empty
  bool guardNegated = false;
  std::vector<Operand> operands;
  Location location;

  bool has(const char* modifier) const;
  // The types among the opcode's parts, in their order.
  std::vector<Type> types() const;
};

enum class Space { reg, global, shared, local, param, constant, generic };

struct Variable {
  std::string name;
  Space space = Space::global;
  Type type = Type::b8;
  uint64_t alignment = 1;
  uint64_t bytes = 0;  // 0 for an array whose size the launch sets
  std::vector<uint8_t> initial;
};

struct Function {
  std::string name;
  bool isEntry = false;
  bool hasBody = false;
  std::vector<Variable> results;  // .func only
  std::vector<Variable> parameters;
  int maximumThreads = 0;  // .maxntid, 0 where there is none
  std::vector<Statement> statements;
  std::unordered_map<std::string, size_t> labels;  // → index of the statement that follows
  std::unordered_map<std::string, Type> registers;
  std::vector<Variable> variables;                                          // shared, local, and param of calls
  std::unordered_map<std::string, std::vector<std::string>> branchTargets;  // of brx.idx
};

struct Module {
  int target = 0;  // 80 of sm_80
  std::map<int, std::string> files;
  std::vector<Variable> variables;
  std::map<std::string, Function> functions;
};

class SyntaxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Module parse(const std::string& text);

}  // namespace alexnet::simulator::ptx
