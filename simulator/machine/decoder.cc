#include "decoder.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "../instructions/instructions.h"
#include "shared_memory.h"
#include "warp.h"

namespace alexnet::simulator {
namespace {

constexpr uint64_t kSharedGap = 64;

uint64_t roundUp(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

Decoder::Decoder(const ptx::Module& module, int computeCapability, AddressOf addressOf)
    : module_(module), computeCapability_(computeCapability), addressOf_(std::move(addressOf)) {}

Program Decoder::decode(const std::string& kernel) {
  const auto found = module_.functions.find(kernel);
  if (found == module_.functions.end() || !found->second.hasBody) {
    throw DecodeError("there is no kernel " + readableName(kernel) + " in the PTX for compute capability " +
                      std::to_string(module_.target));
  }
  function_ = &found->second;
  program_.name = kernel;
  program_.maximumThreads = function_->maximumThreads;
  uint64_t offset = 0;
  for (const ptx::Variable& parameter : function_->parameters) {
    offset = roundUp(offset, parameter.alignment);
    parameters_[parameter.name] = static_cast<int64_t>(offset);
    offset += parameter.bytes;
  }
  layOut(*function_);
  for (size_t i = 0; i < functions_.size(); ++i) {  // grows as calls are found
    for (const ptx::Statement& statement : functions_[i]->statements) {
      if (statement.parts[0] != "call") continue;
      for (const ptx::Operand& operand : statement.operands) {
        const ptx::Function* other = callee(operand.name);
        if (other != nullptr && other->hasBody && layouts_.count(other->name) == 0) layOut(*other);
      }
    }
  }
  layOutShared();
  const auto instructions = placed_;
  program_.instructions.resize(instructions);
  program_.locations.resize(instructions);
  program_.reached.resize(instructions);
  program_.texts.resize(instructions);
  for (const ptx::Function* function : functions_) decodeFunction(*function);
  return std::move(program_);
}

// One instruction for each statement, and one that returns where the text ends without.
void Decoder::layOut(const ptx::Function& function) {
  Layout& layout = layouts_[function.name];
  functions_.push_back(&function);
  layout.first = placed_;
  placed_ += static_cast<uint32_t>(function.statements.size()) + 1;
  layout.registers = RegisterFile(function, program_.registerBytes, program_.predicates);
  program_.registerBytes = layout.registers.end();
  program_.predicates = layout.registers.predicatesEnd();
  uint64_t offset = program_.localBytes;
  const auto place = [&](const ptx::Variable& variable) {
    if (variable.space != ptx::Space::local && variable.space != ptx::Space::param) return;
    offset = roundUp(offset, std::max<uint64_t>(variable.alignment, 8));
    layout.locals[variable.name] = static_cast<int64_t>(offset);
    offset += variable.bytes + 16;  // a gap
  };
  if (!function.isEntry) {
    for (const ptx::Variable& variable : function.parameters) place(variable);
    for (const ptx::Variable& variable : function.results) place(variable);
  }
  for (const ptx::Variable& variable : function.variables) place(variable);
  program_.localBytes = static_cast<uint32_t>(roundUp(offset, 16));
}

void Decoder::layOutShared() {
  uint64_t offset = 0, counted = 0;
  std::vector<const ptx::Variable*> dynamic;
  const auto place = [&](const ptx::Variable& variable) {
    if (variable.space != ptx::Space::shared) return;
    if (variable.bytes == 0) {
      dynamic.push_back(&variable);
      return;
    }
    offset = roundUp(offset, std::max<uint64_t>(variable.alignment, 16));
    counted = roundUp(counted, variable.alignment) + variable.bytes;
    shared_[variable.name] = kSharedBase + offset;
    program_.sharedVariables.push_back({static_cast<uint32_t>(offset), static_cast<uint32_t>(variable.bytes)});
    offset += variable.bytes + kSharedGap;
  };
  for (const ptx::Function* function : functions_) {
    for (const ptx::Variable& variable : function->variables) place(variable);
  }
  // Only what the kernel names: other kernels of the module have theirs.
  for (const ptx::Variable& variable : module_.variables) {
    if (variable.space != ptx::Space::shared) continue;
    const bool named = std::any_of(functions_.begin(), functions_.end(), [&](const ptx::Function* function) {
      return std::any_of(
          function->statements.begin(), function->statements.end(), [&](const ptx::Statement& statement) {
            return std::any_of(statement.operands.begin(), statement.operands.end(),
                               [&](const ptx::Operand& operand) { return operand.name == variable.name; });
          });
    });
    if (named) place(variable);
  }
  program_.staticSharedBytes = static_cast<uint32_t>(counted);
  program_.dynamicSharedOffset = static_cast<uint32_t>(roundUp(offset, 128));
  for (const ptx::Variable* variable : dynamic) shared_[variable->name] = kSharedBase + program_.dynamicSharedOffset;
}

void Decoder::decodeFunction(const ptx::Function& function) {
  function_ = &function;
  layout_ = &layouts_.at(function.name);
  for (size_t i = 0; i < function.statements.size(); ++i) {
    const uint32_t place = layout_->first + static_cast<uint32_t>(i);
    statement_ = &function.statements[i];
    program_.locations[place] = statement_->location;
    program_.texts[place] = statement_->opcode;
    Instruction instruction;
    instruction.index = place;
    if (!statement_->guard.empty()) {
      ptx::Operand guard;
      guard.name = statement_->guard;
      instruction.guard = predicate(guard);
      instruction.guardNegated = statement_->guardNegated;
    }
    if (!decodeInstruction(*this, *statement_, instruction)) fail("is not known to the simulator");
    program_.instructions[place] = instruction;
  }
  const uint32_t end = layout_->first + static_cast<uint32_t>(function.statements.size());
  program_.instructions[end] = returnInstruction(end);
  program_.texts[end] = "ret";
}

uint32_t Decoder::constant(uint64_t bits, uint32_t width) {
  const auto [found, isNew] = constants_.try_emplace({bits, width}, program_.registerBytes);
  if (isNew) {
    program_.constants.push_back({program_.registerBytes, width, bits});
    program_.registerBytes += width * kLanes;
  }
  return found->second;
}

bool Decoder::symbolAddress(const std::string& name, uint64_t& address) const {
  if (const auto shared = shared_.find(name); shared != shared_.end()) {
    address = shared->second;
    return true;
  }
  if (const int64_t local = localOffset(name); local >= 0) {
    address = static_cast<uint64_t>(local);
    return true;
  }
  if (const int64_t parameter = parameterOffset(name); parameter >= 0) {
    address = static_cast<uint64_t>(parameter);
    return true;
  }
  for (const ptx::Variable& variable : module_.variables) {
    if (variable.name != name) continue;
    address = addressOf_(variable);
    return true;
  }
  return false;
}

uint32_t Decoder::source(const ptx::Operand& operand, ptx::Type type) {
  if (operand.kind == ptx::Operand::Kind::immediate) {
    uint64_t bits = operand.bits;
    if (type == ptx::Type::f64 && operand.single) {
      float value;
      const auto low = static_cast<uint32_t>(bits);
      std::memcpy(&value, &low, 4);
      const double wide = value;
      std::memcpy(&bits, &wide, 8);
    }
    return constant(bits, ptx::bytesOf(type) == 8 ? 8 : 4);
  }
  require(operand.kind == ptx::Operand::Kind::name, "has an operand of a kind that is not expected there");
  if (const auto* place = layout_->registers.find(operand.name)) return place->offset;
  if (operand.name == "WARP_SZ") return constant(kLanes, ptx::bytesOf(type) == 8 ? 8 : 4);
  uint64_t address = 0;
  require(symbolAddress(operand.name, address), "names " + operand.name + ", which is no register or variable");
  return constant(address + static_cast<uint64_t>(operand.offset), ptx::bytesOf(type) == 8 ? 8 : 4);
}

uint32_t Decoder::destination(const ptx::Operand& operand) {
  if (operand.name == "_") return constant(~0ULL, 8);  // nobody reads this one
  const auto* place = layout_->registers.find(operand.name);
  require(place != nullptr, "writes " + operand.name + ", which is no register");
  return place->offset;
}

bool Decoder::isPredicate(const ptx::Operand& operand) const {
  const auto* place = layout_->registers.find(operand.name);
  return place != nullptr && place->width == 0;
}

uint32_t Decoder::predicate(const ptx::Operand& operand) {
  require(isPredicate(operand), "expects a predicate, not " + operand.name);
  return layout_->registers.find(operand.name)->offset;
}

uint32_t Decoder::width(const ptx::Operand& operand, ptx::Type type) const {
  const auto* place = layout_->registers.find(operand.name);
  if (place != nullptr) return place->width;
  return ptx::bytesOf(type) == 8 ? 8 : 4;
}

void Decoder::address(const ptx::Operand& operand, Instruction& instruction) {
  require(operand.kind == ptx::Operand::Kind::address, "expects an address in brackets");
  instruction.immediate = operand.offset;
  instruction.flag = true;
  if (operand.name.empty()) {
    instruction.a = constant(0, 8);
  } else if (const auto* place = layout_->registers.find(operand.name)) {
    instruction.a = place->offset;
    instruction.flag = place->width == 8;
  } else {
    uint64_t address = 0;
    require(symbolAddress(operand.name, address), "names " + operand.name + ", which is no register or variable");
    instruction.a = constant(address, 8);
  }
}

const uint32_t* Decoder::list(std::vector<uint32_t> registers) {
  program_.lists.push_back(std::move(registers));
  return program_.lists.back().data();
}

int64_t Decoder::label(const std::string& name) const {
  const auto found = function_->labels.find(name);
  require(found != function_->labels.end(), "jumps to " + name + ", which is nowhere");
  return layout_->first + static_cast<int64_t>(found->second);
}

std::vector<int64_t> Decoder::branchTargets(const std::string& name) const {
  const auto found = function_->branchTargets.find(name);
  require(found != function_->branchTargets.end(), "names the unknown table " + name);
  std::vector<int64_t> result;
  for (const std::string& target : found->second) result.push_back(label(target));
  return result;
}

void Decoder::addTable(std::vector<int64_t> targets) { program_.tables.push_back(std::move(targets)); }

int64_t Decoder::localOffset(const std::string& name) const { return localOffsetIn(*function_, name); }

int64_t Decoder::localOffsetIn(const ptx::Function& function, const std::string& name) const {
  const auto& locals = layouts_.at(function.name).locals;
  const auto found = locals.find(name);
  return found == locals.end() ? -1 : found->second;
}

int64_t Decoder::parameterOffset(const std::string& name) const {
  const auto found = parameters_.find(name);
  return found == parameters_.end() ? -1 : found->second;
}

const ptx::Function* Decoder::callee(const std::string& name) const {
  const auto found = module_.functions.find(name);
  return found == module_.functions.end() ? nullptr : &found->second;
}

void Decoder::noteSharedAccess(uint32_t bytes) { program_.sharedWordBytes = std::min(program_.sharedWordBytes, bytes); }

void Decoder::require(bool condition, const std::string& what) const {
  if (!condition) fail(what);
}

void Decoder::requireCapability(int capability) const {
  if (computeCapability_ < capability) {
    fail("needs compute capability " + std::to_string(capability / 10) + "." + std::to_string(capability % 10));
  }
}

void Decoder::fail(const std::string& what) const {
  throw DecodeError(readableName(function_->name) + " (" + describe(statement_->location, module_) +
                    "): " + statement_->opcode + " " + what);
}

std::string describe(const ptx::Location& location, const ptx::Module& module) {
  const auto place = [&](int index, int line) {
    const auto found = module.files.find(index);
    if (found == module.files.end()) return std::string("unknown source");
    // From the folder of the sources on, which is two or three folders up.
    const std::string path = std::filesystem::path(found->second).lexically_normal();
    const auto last = [&path](int names) {
      size_t slash = path.size();
      for (; names > 0 && slash != std::string::npos && slash > 0; --names) slash = path.rfind('/', slash - 1);
      return slash == std::string::npos ? path : path.substr(slash + 1);
    };
    const std::string longer = last(4);
    return (longer.rfind("cuda/", 0) == 0 ? longer : last(3)) + ":" + std::to_string(line);
  };
  const std::string own = place(location.file, location.line);
  return location.callerFile == 0 ? own : own + " from " + place(location.callerFile, location.callerLine);
}

std::string readableName(const std::string& mangled) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
  std::string name = status == 0 ? demangled : mangled;
  std::free(demangled);
  int depth = 0;
  for (size_t i = 0; i < name.size(); ++i) {  // up to the parameters: a parenthesis outside of <> that ends a name
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (name[i] == '(' && depth == 0 && name.compare(i, 11, "(anonymous ") != 0) {
      name.resize(i);
      break;
    }
  }
  if (name.rfind("void ", 0) == 0) name.erase(0, 5);
  depth = 0;
  for (size_t i = 0; i + 1 < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (depth == 0 && name[i] == ':' && name[i + 1] == ':') {
      name.erase(0, i + 2);
      i = 0;
      depth = name[0] == '<' ? 1 : 0;
    }
  }
  return name;
}

}  // namespace alexnet::simulator
