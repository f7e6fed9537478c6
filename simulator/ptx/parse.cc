#include <algorithm>
#include <cstring>
#include <set>

#include "scanner.h"

namespace alexnet::simulator::ptx {
namespace {

struct NamedType {
  const char* name;
  Type type;
};

constexpr NamedType kTypes[] = {
    {"pred", Type::pred}, {"b8", Type::b8},   {"s8", Type::s8},   {"u8", Type::u8},       {"b16", Type::b16},
    {"s16", Type::s16},   {"u16", Type::u16}, {"f16", Type::f16}, {"bf16", Type::bf16},   {"b32", Type::b32},
    {"s32", Type::s32},   {"u32", Type::u32}, {"f32", Type::f32}, {"f16x2", Type::f16x2}, {"bf16x2", Type::bf16x2},
    {"tf32", Type::tf32}, {"b64", Type::b64}, {"s64", Type::s64}, {"u64", Type::u64},     {"f64", Type::f64},
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != separator) continue;
    if (i > start) parts.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  return parts;
}

class Parser {
 public:
  explicit Parser(const std::string& text) : in_(text) {}

  Module module() {
    while (!in_.atEnd()) directive();
    return std::move(module_);
  }

 private:
  void directive() {
    const std::string name = in_.directive();
    if (name == ".version") {
      in_.word(".");
    } else if (name == ".target") {
      const std::string target = in_.word();
      module_.target = std::atoi(target.c_str() + std::strlen("sm_"));
      while (in_.take(',')) in_.word();
    } else if (name == ".address_size") {
      in_.word();
    } else if (name == ".file") {
      const auto index = static_cast<int>(in_.integer());
      module_.files[index] = in_.quoted();
      while (in_.take(',')) in_.word();
    } else if (name == ".section") {
      in_.skipTo('}');
      in_.expect('}');
    } else if (name == ".entry" || name == ".func") {
      function(name == ".entry");
    } else if (name == ".global" || name == ".const" || name == ".shared") {
      module_.variables.push_back(variable(name));
      in_.expect(';');
    } else if (name == ".pragma") {
      in_.quoted();
      in_.expect(';');
    } else if (name != ".visible" && name != ".extern" && name != ".weak" && name != ".common") {
      throw SyntaxError("the PTX directive " + name + " is not supported by the simulator");
    }
  }

  static Space spaceNamed(const std::string& name) {
    if (name == ".global") return Space::global;
    if (name == ".const") return Space::constant;
    if (name == ".shared") return Space::shared;
    if (name == ".local") return Space::local;
    return Space::param;
  }

  // After its space: ".align 4 .b8 name[16] = {1, 2}", without the semicolon.
  Variable variable(const std::string& space) {
    Variable result;
    result.space = spaceNamed(space);
    bool aligned = false;
    while (in_.peek() == '.') {
      const std::string word = in_.directive();
      if (word == ".align") {
        result.alignment = static_cast<uint64_t>(in_.integer());
        aligned = true;
      } else if (const Type type = typeNamed(word.substr(1)); type != Type::none) {
        result.type = type;
      }  // else .ptr, .managed and the like, of no consequence here
    }
    const auto size = static_cast<uint64_t>(bytesOf(result.type));
    if (!aligned) result.alignment = size;
    result.name = in_.word();
    result.bytes = size;
    while (in_.take('[')) {
      result.bytes = in_.peek() == ']' ? 0 : result.bytes * static_cast<uint64_t>(in_.integer());
      in_.expect(']');
    }
    if (in_.take('=')) initial(result, size);
    return result;
  }

  void initial(Variable& target, uint64_t size) {
    const bool list = in_.take('{');
    while (in_.peek() != '}' && in_.peek() != ';') {
      const Operand value = operand();
      if (value.kind != Operand::Kind::immediate) {
        throw SyntaxError("the address of a variable in the initial value of " + target.name + " is not supported");
      }
      for (uint64_t byte = 0; byte < size; ++byte)
        target.initial.push_back(static_cast<uint8_t>(value.bits >> (8 * byte)));
      in_.take(',');
    }
    if (list) in_.expect('}');
  }

  std::vector<Variable> parameters() {
    std::vector<Variable> result;
    if (!in_.take('(')) return result;
    while (!in_.take(')')) {
      const std::string space = in_.directive();
      result.push_back(variable(space));
      in_.take(',');
    }
    return result;
  }

  void function(bool isEntry) {
    Function result;
    result.isEntry = isEntry;
    if (!isEntry) result.results = parameters();
    result.name = in_.word();
    result.parameters = parameters();
    while (in_.peek() == '.') {
      const std::string hint = in_.directive();
      if (hint == ".noreturn" || hint == ".attribute") continue;
      int threads = static_cast<int>(in_.integer());
      while (in_.take(',')) threads *= static_cast<int>(in_.integer());
      if (hint == ".maxntid" || hint == ".reqntid") result.maximumThreads = threads;
    }
    if (in_.take(';')) {
      module_.functions.emplace(result.name, std::move(result));
      return;
    }
    result.hasBody = true;
    function_ = &result;
    in_.expect('{');
    scope(true);
    module_.functions[result.name] = std::move(result);
  }

  // The inside of { }, its closing brace included. Names declared in an inner scope are made unique when it ends.
  void scope(bool outermost) {
    const size_t first = function_->statements.size();
    std::set<std::string> names;
    while (!in_.take('}')) {
      if (in_.take('{')) {
        scope(false);
      } else if (in_.peek() == '.') {
        declaration(names, outermost);
      } else {
        statement(names);
      }
    }
    if (!outermost && !names.empty()) rename(first, names, "#" + std::to_string(++scopes_));
  }

  void rename(size_t first, const std::set<std::string>& names, const std::string& suffix) {
    const auto change = [&](std::string& name) {
      if (names.count(name)) name += suffix;
    };
    for (size_t i = first; i < function_->statements.size(); ++i) {
      Statement& statement = function_->statements[i];
      change(statement.guard);
      for (Operand& operand : statement.operands) renameOperand(operand, change);
    }
    for (const std::string& name : names) {
      if (auto found = function_->registers.extract(name)) {
        found.key() = name + suffix;
        function_->registers.insert(std::move(found));
      }
      if (auto found = function_->labels.extract(name)) {
        found.key() = name + suffix;
        function_->labels.insert(std::move(found));
      }
      for (Variable& variable : function_->variables) change(variable.name);
    }
  }

  template <class Change>
  static void renameOperand(Operand& operand, const Change& change) {
    change(operand.name);
    change(operand.second);
    for (Operand& element : operand.list) renameOperand(element, change);
  }

  void declaration(std::set<std::string>& names, bool outermost) {
    const std::string what = in_.directive();
    if (what == ".loc") {
      location();
    } else if (what == ".reg") {
      registers(names, outermost);
      in_.expect(';');
    } else if (what == ".pragma") {
      in_.quoted();
      in_.expect(';');
    } else {
      function_->variables.push_back(variable(what));
      names.insert(function_->variables.back().name);
      in_.expect(';');
    }
  }

  // "1 76 5" or "3 12 5, function_name $name, inlined_at 1 76 5".
  void location() {
    location_.file = static_cast<int>(in_.integer());
    location_.line = static_cast<int>(in_.integer());
    in_.integer();
    location_.callerFile = location_.callerLine = 0;
    while (in_.take(',')) {
      const std::string word = in_.word();
      if (word == "function_name") {
        in_.word();
        if (in_.take('+')) in_.integer();
      } else if (word == "inlined_at") {
        location_.callerFile = static_cast<int>(in_.integer());
        location_.callerLine = static_cast<int>(in_.integer());
        in_.integer();
      }
    }
  }

  void registers(std::set<std::string>& names, bool outermost) {
    Type type = Type::none;
    while (in_.peek() == '.') type = typeNamed(in_.directive().substr(1));
    do {
      const std::string name = in_.word();
      if (in_.take('<')) {
        const auto count = in_.integer();
        in_.expect('>');
        for (int64_t i = 0; i < count; ++i) function_->registers[name + std::to_string(i)] = type;
      } else if (outermost || function_->registers.count(name) == 0) {
        function_->registers[name] = type;
        names.insert(name);
      } else {
        throw SyntaxError("the register " + name + " is declared in two nested scopes");
      }
    } while (in_.take(','));
  }

  void statement(std::set<std::string>& names) {
    Statement result;
    if (in_.take('@')) {
      result.guardNegated = in_.take('!');
      result.guard = in_.word();
    }
    std::string opcode = in_.word(".:");
    const size_t colon = opcode.find(':');
    if (colon != std::string::npos && opcode.find("::") != colon) {
      const std::string label = opcode.substr(0, colon);
      function_->labels[label] = function_->statements.size();
      names.insert(label);
      if (in_.peek() == '.') branchTargets(label);
      return;
    }
    if (in_.take(':')) {
      function_->labels[opcode] = function_->statements.size();
      names.insert(opcode);
      return;
    }
    result.opcode = std::move(opcode);
    result.parts = split(result.opcode, '.');
    result.location = location_;
    while (!in_.take(';')) {
      result.operands.push_back(operand());
      in_.take(',');
    }
    function_->statements.push_back(std::move(result));
  }

  void branchTargets(const std::string& label) {
    if (!in_.takeWord(".branchtargets")) return;
    std::vector<std::string>& targets = function_->branchTargets[label];
    do targets.push_back(in_.word());
    while (in_.take(','));
    in_.expect(';');
  }

  Operand operand() {
    Operand result;
    if (in_.take('{')) return list('}');
    if (in_.take('(')) return list(')');
    if (in_.take('[')) return address();
    if (in_.take('!')) result.negated = true;
    const bool minus = in_.take('-');
    const std::string word = in_.word(".:");
    if (minus || std::isdigit(static_cast<unsigned char>(word[0]))) {
      immediate(result, word, minus);
      return result;
    }
    result.name = word;
    if (in_.take('|')) result.second = in_.word();
    if (in_.take('+')) result.offset = in_.integer();
    return result;
  }

  static void immediate(Operand& result, const std::string& word, bool minus) {
    result.kind = Operand::Kind::immediate;
    const bool hexFloat = word.size() > 2 && word[0] == '0' && std::strchr("fFdD", word[1]) != nullptr;
    if (hexFloat) {
      result.bits = std::strtoull(word.c_str() + 2, nullptr, 16);
      result.single = word[1] == 'f' || word[1] == 'F';
    } else {
      result.bits = std::strtoull(word.c_str(), nullptr, 0);
    }
    if (minus) result.bits = -result.bits;
  }

  Operand list(char close) {
    Operand result;
    result.kind = Operand::Kind::list;
    while (!in_.take(close)) {
      result.list.push_back(operand());
      in_.take(',');
    }
    return result;
  }

  // After "[": "%rd1+16]", "name]", "4096]".
  Operand address() {
    Operand result;
    result.kind = Operand::Kind::address;
    if (std::isdigit(static_cast<unsigned char>(in_.peek()))) {
      result.offset = in_.integer();
    } else {
      result.name = in_.word();
      if (in_.take('+')) result.offset = in_.integer();
      if (in_.peek() == '-') result.offset = in_.integer();
    }
    in_.expect(']');
    return result;
  }

  Scanner in_;
  Module module_;
  Function* function_ = nullptr;
  Location location_;
  int scopes_ = 0;
};

}  // namespace

Type typeNamed(const std::string& name) {
  for (const NamedType& named : kTypes) {
    if (name == named.name) return named.type;
  }
  return Type::none;
}

bool Statement::has(const char* modifier) const {
  return std::find(parts.begin() + 1, parts.end(), modifier) != parts.end();
}

std::vector<Type> Statement::types() const {
  std::vector<Type> result;
  for (const std::string& part : parts) {
    if (const Type type = typeNamed(part); type != Type::none) result.push_back(type);
  }
  return result;
}

Module parse(const std::string& text) { return Parser(text).module(); }

}  // namespace alexnet::simulator::ptx
