// Arithmetic in a rounding mode other than to the nearest. This file is compiled with -frounding-math.
#include <cfenv>
#include <cmath>
#include <map>
#include <string>

#include "instructions.h"
#include "lanes.h"

namespace alexnet::simulator {
namespace {

enum class Operation { add, subtract, multiply, divide, fusedMultiplyAdd, squareRoot, reciprocal };

template <class T>
T compute(Operation operation, T a, T b, T c) {
  switch (operation) {
    case Operation::add: return a + b;
    case Operation::subtract: return a - b;
    case Operation::multiply: return a * b;
    case Operation::divide: return a / b;
    case Operation::fusedMultiplyAdd: return std::fma(a, b, c);
    case Operation::squareRoot: return std::sqrt(a);
    case Operation::reciprocal: return 1 / a;
  }
  return a;
}

// immediate: the operation, and the rounding mode above it; flag: .sat; count: operands.
template <class T>
void rounded(Warp& warp, const Instruction& i) {
  const auto operation = static_cast<Operation>(i.immediate & 0xff);
  const int before = std::fegetround();
  std::fesetround(static_cast<int>(i.immediate >> 8));
  const T* a = warp.at<T>(i.a);
  const T* b = warp.at<T>(i.b);
  const T* c = warp.at<T>(i.c);
  T* destination = warp.at<T>(i.destination);
  forEachLane(warp.mask.bits, [&](int lane) {
    const T result = compute<T>(operation, a[lane], b[lane], c[lane]);
    destination[lane] = !i.flag ? result : result > 0 ? (result < 1 ? result : T{1}) : T{0};
  });
  std::fesetround(before);
}

const std::map<std::string, Operation> operations = {
    {"add", Operation::add},        {"sub", Operation::subtract},         {"mul", Operation::multiply},
    {"div", Operation::divide},     {"fma", Operation::fusedMultiplyAdd}, {"sqrt", Operation::squareRoot},
    {"rcp", Operation::reciprocal},
};

}  // namespace

bool decodeRounding(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto types = statement.types();
  const auto named = operations.find(statement.parts[0]);
  if (types.size() != 1 || named == operations.end()) return false;
  const Operation operation = named->second;
  int mode = -1;
  if (statement.has("rz")) mode = FE_TOWARDZERO;
  if (statement.has("rm")) mode = FE_DOWNWARD;
  if (statement.has("rp")) mode = FE_UPWARD;
  if (mode < 0) return false;
  if (types[0] == ptx::Type::f32 && !statement.has("ftz")) instruction.run = rounded<float>;
  if (types[0] == ptx::Type::f64) instruction.run = rounded<double>;
  if (instruction.run == nullptr) return false;
  decodeOperands(decoder, statement, types[0], instruction);
  instruction.immediate = static_cast<int64_t>(operation) | static_cast<int64_t>(mode) << 8;
  instruction.flag = statement.has("sat");
  return true;
}

}  // namespace alexnet::simulator
