// Tensor cores: mma.sync on fragments that the lanes of a warp hold together, and ldmatrix, which loads these.
//
// Lane 4 g + t holds of a row g, or of a column g of the right operand, what lies at t: of 16-bit values two in a register.
// So the 32 lanes of a register, side by side, are 8 rows of 4 words.
#ifdef __FMA__
#include <immintrin.h>
#endif

#include <cstdlib>
#include <cstring>
#include <string>

#include "../machine/block.h"
#include "instructions.h"
#include "small_floats.h"

namespace alexnet::simulator {
namespace {

constexpr int kRows = 16, kColumns = 8;

// kPacked: values in a 32-bit register.
template <int kPacked>
struct Tile {
  static constexpr int kDepth = 8 * kPacked;
  // Of each register the lower values of all lanes, then the upper ones. Registers: rows 0-7 and 8-15 of the lower half of
  // the depth, then of the upper one.
  alignas(64) float a[4][kPacked][kLanes];
  alignas(64) float b[kDepth][kColumns];
  alignas(64) float c[kRows][kColumns];

  // Column k of a, from one of eight rows on; the next ones lie 4 values apart.
  const float* left(int row, int k) const {
    const int word = k / kPacked;
    return &a[word / 4 * 2 + row / 8][k % kPacked][row % 8 * 4 + word % 4];
  }
};

// --- Fragments ---

struct Bfloat16 {
  static constexpr int kPacked = 2, kGroup = 8;
  static float lower(uint32_t word) { return fromBfloat16(word); }  // what lies above falls away
  static float upper(uint32_t word) { return floatOf(word & 0xffff0000U); }
};

struct Tf32 {
  static constexpr int kPacked = 1, kGroup = 4;
  static float lower(uint32_t word) { return fromTf32(word); }
};

template <class Format>
void unpackFactors(Warp& warp, const uint32_t* a, const uint32_t* b, Tile<Format::kPacked>& tile) {
  constexpr int kPacked = Format::kPacked;
  for (int quarter = 0; quarter < 4; ++quarter) {
    const auto* from = warp.at<uint32_t>(a[quarter]);
    for (int lane = 0; lane < kLanes; ++lane) {
      tile.a[quarter][0][lane] = Format::lower(from[lane]);
      if constexpr (kPacked == 2) tile.a[quarter][1][lane] = Format::upper(from[lane]);
    }
  }
  for (int half = 0; half < 2; ++half) {
    const auto* from = warp.at<uint32_t>(b[half]);
    for (int word = 0; word < 4; ++word) {
      float* to = tile.b[(half * 4 + word) * kPacked];
      for (int column = 0; column < kColumns; ++column) {
        to[column] = Format::lower(from[column * 4 + word]);
        if constexpr (kPacked == 2) to[kColumns + column] = Format::upper(from[column * 4 + word]);
      }
    }
  }
}

// Rows 0-7 lie in the first two registers of c, a lane's two neighbours one in each; rows 8-15 in the others.
template <int kPacked>
void unpackSums(Warp& warp, const uint32_t* registers, Tile<kPacked>& tile) {
  for (int half = 0; half < 2; ++half) {
    const float *even = warp.at<float>(registers[2 * half]), *odd = warp.at<float>(registers[2 * half + 1]);
    float* to = tile.c[half * 8];
    for (int lane = 0; lane < kLanes; ++lane) {
      to[2 * lane] = even[lane];
      to[2 * lane + 1] = odd[lane];
    }
  }
}

template <int kPacked>
void packSums(Warp& warp, const uint32_t* registers, const Tile<kPacked>& tile) {
  for (int half = 0; half < 2; ++half) {
    float *even = warp.at<float>(registers[2 * half]), *odd = warp.at<float>(registers[2 * half + 1]);
    const float* from = tile.c[half * 8];
    for (int lane = 0; lane < kLanes; ++lane) {
      even[lane] = from[2 * lane];
      odd[lane] = from[2 * lane + 1];
    }
  }
}

// --- Products ---

// Some columns of a row, side by side: loops over so few the compiler does not vectorize by itself.
using Row = float __attribute__((vector_size(32)));
using HalfRow = float __attribute__((vector_size(16)));
using Doubles = double __attribute__((vector_size(32)));
using Bits = int64_t __attribute__((vector_size(32)));

template <class Vector, class T>
Vector load(const T* from) {
  Vector result;
  std::memcpy(&result, from, sizeof(result));
  return result;
}

Row everywhere(float a) { return Row{a, a, a, a, a, a, a, a}; }

Row fused(Row a, Row b, Row c) {
#ifdef __FMA__
  return _mm256_fmadd_ps(a, b, c);
#else
  for (int column = 0; column < kColumns; ++column) c[column] = __builtin_fmaf(a[column], b[column], c[column]);
  return c;
#endif
}

// Exact products, added to c one after the other as the depth goes, each sum rounded to nearest.
template <int kPacked>
void multiplyExactly(Tile<kPacked>& tile) {
  constexpr int kAtOnce = 8;  // rows whose sums lie in registers
  for (int first = 0; first < kRows; first += kAtOnce) {
    Row sums[kAtOnce];
    std::memcpy(sums, tile.c[first], sizeof(sums));
    for (int k = 0; k < tile.kDepth; ++k) {
      const Row b = load<Row>(tile.b[k]);
      const float* a = tile.left(first, k);
#pragma GCC unroll 8
      for (int row = 0; row < kAtOnce; ++row) sums[row] = fused(everywhere(a[4 * row]), b, sums[row]);
    }
    std::memcpy(tile.c[first], sums, sizeof(sums));
  }
}

// The sum of c and a group's exact products, every one of them cut to a multiple of 2^-23 of the largest one's power of
// two, and the sum to fp32: no bits beyond are kept, the least that published models of tensor cores have (arXiv 2512.07004).
// The error is less than kTerms + 1 times 2^-23 of the largest of all, the sum included.
template <int kTerms>
Doubles sumChopped(const Doubles (&terms)[kTerms]) {
  constexpr int64_t kBias = 1023, kFraction = 52;
  const Bits magnitude = ~Bits{} & INT64_MAX;
  Bits largest = {};
  Doubles plain = {};
  for (const Doubles& term : terms) {
    const Bits size = reinterpret_cast<const Bits&>(term) & magnitude;  // ordered like the values
    largest = size > largest ? size : largest;
    plain += term;
  }
  const Bits least = Bits{} + (kBias - 149);  // the smallest subnormal of fp32
  const Bits exponent = (largest >> kFraction) - 23;
  const Bits unit = exponent > least ? exponent : least;
  Doubles sum = {};  // a multiple of the unit: exact
  for (const Doubles& term : terms) {
    const Bits bits = reinterpret_cast<const Bits&>(term);
    const Bits dropped = unit + kFraction - ((bits & magnitude) >> kFraction);  // bits below the unit
    const Bits within = dropped > 0 ? dropped : Bits{};
    const Bits cut = within > kFraction ? Bits{} : bits & (~Bits{} << within);
    sum += reinterpret_cast<const Doubles&>(cut);
  }
  const Bits cut = reinterpret_cast<const Bits&>(sum) & ~Bits{0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1fffffff};
  const Bits infinite = Bits{} + (INT64_C(2047) << kFraction);
  return largest < infinite ? reinterpret_cast<const Doubles&>(cut) : plain;
}

template <int kGroup, int kPacked>
void multiplyChopped(Tile<kPacked>& tile) {
  for (int row = 0; row < kRows; ++row) {
    for (int half = 0; half < kColumns; half += 4) {
      float* const sum = &tile.c[row][half];
      for (int first = 0; first < tile.kDepth; first += kGroup) {
        Doubles terms[kGroup + 1];
        terms[kGroup] = __builtin_convertvector(load<HalfRow>(sum), Doubles);
        for (int k = 0; k < kGroup; ++k) {
          const Doubles b = __builtin_convertvector(load<HalfRow>(&tile.b[first + k][half]), Doubles);
          terms[k] = static_cast<double>(*tile.left(row, first + k)) * b;
        }
        const HalfRow result = __builtin_convertvector(sumChopped(terms), HalfRow);
        std::memcpy(sum, &result, sizeof(result));
      }
    }
  }
}

bool isChopped() {
  static const bool chopped = [] {
    const char* setting = std::getenv("ALEXNET_SIMULATED_MMA");
    return setting != nullptr && std::string(setting) == "chopped";
  }();
  return chopped;
}

// more: the registers of d, a, b and c.
template <class Format>
void multiply(Warp& warp, const Instruction& i) {
  if (!isWholeWarp(warp)) return;
  Tile<Format::kPacked> tile;
  unpackFactors<Format>(warp, i.more + 4, i.more + 8, tile);
  unpackSums(warp, i.more + 10, tile);
  if (isChopped())
    multiplyChopped<Format::kGroup>(tile);
  else
    multiplyExactly(tile);
  packSums(warp, i.more, tile);
}

// --- ldmatrix ---

// Lane 8 m + r names row r of matrix m, 16 bytes. a, immediate, flag: the addresses; c: how many lanes must have one; count:
// matrices; more: their registers.
template <bool kTransposed>
void loadMatrices(Warp& warp, const Instruction& i) {
  if (!isWholeWarp(warp)) return;
  SharedMemory& shared = warp.block->shared();
  const std::byte* rows[kLanes];
  uint64_t addresses[kLanes];
  for (int lane = 0; lane < static_cast<int>(i.c); ++lane) {
    const uint64_t base = i.flag ? warp.at<uint64_t>(i.a)[lane] : warp.at<uint32_t>(i.a)[lane];
    addresses[lane] = base + static_cast<uint64_t>(i.immediate);
    rows[lane] = shared.access<Use::read>(warp, lane, addresses[lane], 16);
  }
  if (Counters* counters = warp.block->launch().counters) {
    counters->touchShared(i, kAllLanes >> (kLanes - 8 * i.count), addresses, 16);
  }
  for (int matrix = 0; matrix < i.count; ++matrix) {
    auto* to = warp.at<uint16_t>(i.more[matrix]);
    for (int row = 0; row < 8; ++row) {
      uint16_t values[8];
      std::memcpy(values, rows[8 * matrix + row], sizeof(values));
      for (int column = 0; column < 8; ++column) {
        to[kTransposed ? column * 8 + row : row * 8 + column] = values[column];
      }
    }
  }
}

bool decodeMultiply(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  if (statement.opcode == "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32") {
    instruction.run = multiply<Bfloat16>;
  } else if (statement.opcode == "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32") {
    instruction.run = multiply<Tf32>;
  } else {
    return false;
  }
  decoder.requireCapability(80);
  constexpr size_t kRegisters[] = {4, 4, 2, 4};
  std::vector<uint32_t> registers;
  for (size_t o = 0; o < 4; ++o) {
    decoder.require(statement.operands.size() == 4 && statement.operands[o].list.size() == kRegisters[o],
                    "does not have fragments of 4, 4, 2 and 4 registers");
    for (const ptx::Operand& element : statement.operands[o].list) {
      registers.push_back(o == 0 ? decoder.destination(element) : decoder.source(element, ptx::Type::b32));
    }
  }
  instruction.more = decoder.list(std::move(registers));
  return true;
}

bool decodeLoad(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  if (!statement.has("m8n8") || !statement.has("b16")) return false;
  decoder.requireCapability(75);
  const size_t count = statement.has("x4") ? 4 : statement.has("x2") ? 2 : 1;
  const ptx::Operand& to = statement.operands.at(0);
  const std::vector<ptx::Operand> elements =
      to.kind == ptx::Operand::Kind::list ? to.list : std::vector<ptx::Operand>{to};
  decoder.require(elements.size() == count, "does not have a register for each matrix");
  std::vector<uint32_t> registers;
  for (const ptx::Operand& element : elements) registers.push_back(decoder.destination(element));
  decoder.address(statement.operands.at(1), instruction);
  decoder.noteSharedAccess(4);
  instruction.count = static_cast<uint16_t>(count);
  instruction.c = decoder.computeCapability() < 80 ? kLanes : 8 * static_cast<uint32_t>(count);
  instruction.more = decoder.list(std::move(registers));
  instruction.run = statement.has("trans") ? loadMatrices<true> : loadMatrices<false>;
  return true;
}

}  // namespace

bool decodeMatrix(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  if (statement.parts[0] == "mma") return decodeMultiply(decoder, statement, instruction);
  if (statement.parts[0] == "ldmatrix") return decodeLoad(decoder, statement, instruction);
  return false;
}

}  // namespace alexnet::simulator
