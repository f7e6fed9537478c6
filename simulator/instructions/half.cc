// Arithmetic on bf16 and fp16, single and in pairs: computed in double precision, rounded once.
#include <cmath>
#include <map>
#include <string>

#include "instructions.h"
#include "lanes.h"
#include "small_floats.h"

namespace alexnet::simulator {
namespace {

struct Bfloat16 {
  static double from(uint32_t bits) { return fromBfloat16(bits & 0xffff); }
  // Rounded to odd in fp32 first, so that the second rounding is the only one that counts.
  static uint32_t to(double value) {
    float nearest = static_cast<float>(value);
    if (nearest == value || nearest != nearest || std::isinf(nearest)) return toBfloat16(nearest);
    if (std::fabs(nearest) > std::fabs(value)) nearest = std::nextafter(nearest, 0.0F);
    return toBfloat16(floatOf(bitsOf(nearest) | 1));
  }
};

struct Half {
  static double from(uint32_t bits) { return fromHalf(bits & 0xffff); }
  static uint32_t to(double value) { return toHalf(value); }
};

enum class Operation {
  add,
  subtract,
  multiply,
  fusedMultiplyAdd,
  minimum,
  maximum,
  negate,
  absolute,
  exponential2,
  tangent
};

double compute(Operation operation, double a, double b, double c) {
  switch (operation) {
    case Operation::add: return a + b;
    case Operation::subtract: return a - b;
    case Operation::multiply: return a * b;
    case Operation::fusedMultiplyAdd: return a * b + c;  // the product is exact in double precision
    case Operation::minimum: return std::fmin(a, b);
    case Operation::maximum: return std::fmax(a, b);
    case Operation::negate: return -a;
    case Operation::absolute: return std::fabs(a);
    case Operation::exponential2: return std::exp2(a);
    case Operation::tangent: return std::tanh(a);
  }
  return a;
}

// immediate: the operation; count: values in a register.
template <class Format>
void halves(Warp& warp, const Instruction& i) {
  const auto operation = static_cast<Operation>(i.immediate);
  const auto* a = warp.at<uint32_t>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  const auto* c = warp.at<uint32_t>(i.c);
  auto* destination = warp.at<uint32_t>(i.destination);
  forEachLane(warp.mask.bits, [&](int lane) {
    uint32_t result = 0;
    for (uint32_t shift = 0; shift < 16U * i.count; shift += 16) {
      const double value = compute(operation, Format::from(a[lane] >> shift), Format::from(b[lane] >> shift),
                                   Format::from(c[lane] >> shift));
      result |= Format::to(value) << shift;
    }
    destination[lane] = result;
  });
}

const std::map<std::string, Operation> operations = {
    {"add", Operation::add},          {"sub", Operation::subtract},
    {"mul", Operation::multiply},     {"fma", Operation::fusedMultiplyAdd},
    {"min", Operation::minimum},      {"max", Operation::maximum},
    {"neg", Operation::negate},       {"abs", Operation::absolute},
    {"ex2", Operation::exponential2}, {"tanh", Operation::tangent},
};

}  // namespace

bool decodeHalf(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto types = statement.types();
  const auto named = operations.find(statement.parts[0]);
  if (types.size() != 1 || named == operations.end()) return false;
  const Operation operation = named->second;
  const bool brain = types[0] == ptx::Type::bf16 || types[0] == ptx::Type::bf16x2;
  if (!brain && types[0] != ptx::Type::f16 && types[0] != ptx::Type::f16x2) return false;
  for (const char* unknown : {"sat", "ftz", "NaN", "relu", "rz", "rm", "rp", "xorsign"}) {
    if (statement.has(unknown)) return false;
  }
  if (brain)
    decoder.requireCapability(operation == Operation::fusedMultiplyAdd || operation >= Operation::minimum ? 80 : 90);
  instruction.run = brain ? halves<Bfloat16> : halves<Half>;
  instruction.count = ptx::bytesOf(types[0]) == 4 ? 2 : 1;
  instruction.immediate = static_cast<int64_t>(operation);
  decodeOperands(decoder, statement, types[0], instruction);
  return true;
}

}  // namespace alexnet::simulator
