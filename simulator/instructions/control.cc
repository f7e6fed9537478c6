// Branches, calls, the ends of threads, and barriers.
#include <cstdio>
#include <cstring>
#include <string>

#include "../machine/block.h"
#include "../machine/fault.h"
#include "instructions.h"

namespace alexnet::simulator {
namespace {

void nothing(Warp&, const Instruction&) {}

void branch(Warp& warp, const Instruction& i) {
  const auto target = static_cast<uint32_t>(i.immediate);
  if (target < warp.pc) warp.block->countLoop(warp);
  const uint32_t taken = warp.mask.bits;
  if (taken == warp.active) {
    warp.pc = target;
    return;
  }
  forEachLane(warp.active, [&](int lane) { warp.pcs[lane] = taken >> lane & 1 ? target : warp.pc; });
  warp.chooseNext();
}

// immediate: which table.
void branchIndexed(Warp& warp, const Instruction& i) {
  const auto& table = warp.block->launch().program->tables[static_cast<size_t>(i.immediate)];
  const auto* index = warp.at<uint32_t>(i.a);
  forEachLane(warp.active, [&](int lane) {
    warp.pcs[lane] = warp.pc;
    if (!warp.mask.has(lane)) return;
    if (index[lane] >= table.size()) throw Fault(lane, "brx.idx with an index beyond its table");
    warp.pcs[lane] = static_cast<uint32_t>(table[index[lane]]);
  });
  warp.chooseNext();
}

void exitThreads(Warp& warp, const Instruction&) {
  forEachLane(warp.mask.bits, [&](int lane) { warp.block->copies().requireNone(warp, lane); });
  warp.live &= ~warp.mask.bits;
  if (warp.live == 0) {
    warp.state = WarpState::finished;
    return;
  }
  forEachLane(warp.active & warp.live, [&](int lane) { warp.pcs[lane] = warp.pc; });
  warp.chooseNext();
}

void returnFromCall(Warp& warp, const Instruction& i) {
  const int first = __builtin_ctz(warp.mask.bits);
  if ((*warp.returns)[static_cast<size_t>(first)].empty()) return exitThreads(warp, i);
  forEachLane(warp.active, [&](int lane) {
    warp.pcs[lane] = warp.pc;
    if (!warp.mask.has(lane)) return;
    auto& returns = (*warp.returns)[static_cast<size_t>(lane)];
    warp.pcs[lane] = returns.back();
    returns.pop_back();
  });
  warp.chooseNext();
}

std::byte* localOf(Warp& warp, int lane) {
  const uint32_t size = warp.block->launch().program->localBytes;
  return warp.local + static_cast<size_t>(lane) * ((size + 127) / 128 * 128);
}

// immediate: where the function begins; more: pairs of what to copy into its parameters (from, to, bytes), count of them.
void call(Warp& warp, const Instruction& i) {
  forEachLane(warp.active, [&](int lane) {
    warp.pcs[lane] = warp.pc;
    if (!warp.mask.has(lane)) return;
    std::byte* local = localOf(warp, lane);
    for (uint32_t e = 0; e < i.count; ++e)
      std::memcpy(local + i.more[3 * e + 1], local + i.more[3 * e], i.more[3 * e + 2]);
    auto& returns = (*warp.returns)[static_cast<size_t>(lane)];
    if (returns.size() > 64) throw Fault(lane, "recursion, which the simulator does not support");
    returns.push_back(warp.pc);
    warp.pcs[lane] = static_cast<uint32_t>(i.immediate);
  });
  warp.chooseNext();
}

const std::byte* bytesAt(Warp& warp, int lane, uint64_t address) {
  const uint64_t offset = address & ~kWindowMask;
  if ((address & kWindowMask) == kLocalWindow) return localOf(warp, lane) + offset;
  Allocation* allocation = warp.block->launch().memory->find(address, 1);
  if (allocation == nullptr) throw Fault(lane, "printf with a string that is not there");
  return allocation->data + (address - allocation->base);
}

// One conversion of printf after the other; arguments are 4 or 8 bytes, each at a multiple of its size.
std::string formatted(Warp& warp, int lane, const char* format, const std::byte* arguments) {
  std::string text;
  size_t offset = 0;
  for (const char* c = format; *c; ++c) {
    if (*c != '%' || c[1] == '%') {
      text += *c;
      if (*c == '%') ++c;
      continue;
    }
    std::string spec(1, '%');
    while (c[1] && !std::strchr("diuoxXfFeEgGaAcspn", c[1])) spec += *++c;
    const char kind = *++c;
    const bool wide = spec.find('l') != std::string::npos || std::strchr("fFeEgGaAsp", kind) != nullptr;
    const size_t size = wide ? 8 : 4;
    offset = (offset + size - 1) / size * size;
    uint64_t bits = 0;
    std::memcpy(&bits, arguments + offset, size);
    offset += size;
    char buffer[512];
    spec += kind;
    if (kind == 's') {
      std::snprintf(buffer, sizeof(buffer), spec.c_str(), reinterpret_cast<const char*>(bytesAt(warp, lane, bits)));
    } else if (std::strchr("fFeEgGaA", kind) != nullptr) {
      double value;
      std::memcpy(&value, &bits, 8);
      std::snprintf(buffer, sizeof(buffer), spec.c_str(), value);
    } else if (wide) {
      std::snprintf(buffer, sizeof(buffer), spec.c_str(), bits);
    } else {
      std::snprintf(buffer, sizeof(buffer), spec.c_str(), static_cast<uint32_t>(bits));
    }
    text += buffer;
  }
  return text;
}

// a, b: where in local memory the call's two parameters lie, the format's address and that of its arguments.
void print(Warp& warp, const Instruction& i) {
  forEachLane(warp.mask.bits, [&](int lane) {
    uint64_t format, arguments;
    std::memcpy(&format, localOf(warp, lane) + i.a, 8);
    std::memcpy(&arguments, localOf(warp, lane) + i.b, 8);
    const auto* text = reinterpret_cast<const char*>(bytesAt(warp, lane, format));
    std::fputs(formatted(warp, lane, text, arguments == 0 ? nullptr : bytesAt(warp, lane, arguments)).c_str(), stdout);
  });
}

void trap(Warp& warp, const Instruction&) {
  throw Fault(__builtin_ctz(warp.mask.bits), "trap: an assertion of the kernel failed");
}

// immediate: the number of the barrier; b: threads, 0 for all of the block; flag: waits.
void barrier(Warp& warp, const Instruction& i) {
  warp.block->arrive(warp, static_cast<uint32_t>(i.immediate), i.b, i.flag);
}

bool decodeBranch(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  if (statement.parts[0] == "bra") {
    instruction.run = branch;
    instruction.immediate = decoder.label(statement.operands[0].name);
    return true;
  }
  instruction.run = branchIndexed;
  instruction.a = decoder.source(statement.operands[0], ptx::Type::u32);
  instruction.immediate = static_cast<int64_t>(decoder.tables());
  decoder.addTable(decoder.branchTargets(statement.operands[1].name));
  return true;
}

bool decodeCall(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto& operands = statement.operands;
  const size_t name = operands[0].kind == ptx::Operand::Kind::list ? 1 : 0;
  const ptx::Function* function = decoder.callee(operands[name].name);
  decoder.require(function != nullptr, "calls through a pointer, which the simulator does not support");
  const std::vector<ptx::Operand> arguments =
      operands.size() > name + 1 ? operands[name + 1].list : std::vector<ptx::Operand>{};
  if (function->name == "vprintf") {
    instruction.run = print;
    instruction.a = static_cast<uint32_t>(decoder.localOffset(arguments.at(0).name));
    instruction.b = static_cast<uint32_t>(decoder.localOffset(arguments.at(1).name));
    return true;
  }
  if (function->name == "__assertfail") {
    instruction.run = trap;
    return true;
  }
  decoder.require(function->hasBody, "calls " + function->name + ", which the PTX does not contain");
  std::vector<uint32_t> copies;
  for (size_t a = 0; a < arguments.size(); ++a) {
    const ptx::Variable& parameter = function->parameters.at(a);
    copies.push_back(static_cast<uint32_t>(decoder.localOffset(arguments[a].name)));
    copies.push_back(static_cast<uint32_t>(decoder.localOffsetIn(*function, parameter.name)));
    copies.push_back(static_cast<uint32_t>(parameter.bytes));
  }
  if (name == 1 && !operands[0].list.empty()) {  // the result is read where the function leaves it
    decoder.placeLocal(operands[0].list[0].name, decoder.localOffsetIn(*function, function->results.at(0).name));
  }
  instruction.run = call;
  instruction.count = static_cast<uint16_t>(arguments.size());
  instruction.more = decoder.list(std::move(copies));
  instruction.immediate = decoder.entryOf(*function);
  return true;
}

bool decodeBarrier(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  if (statement.has("red") || statement.has("warp")) return false;
  const auto& operands = statement.operands;
  for (const ptx::Operand& operand : operands) {
    decoder.require(operand.kind == ptx::Operand::Kind::immediate, "takes its barrier from a register");
  }
  instruction.run = barrier;
  instruction.immediate = operands.empty() ? 0 : static_cast<int64_t>(operands[0].bits & 15);
  instruction.b = operands.size() > 1 ? static_cast<uint32_t>(operands[1].bits) : 0;
  instruction.flag = !statement.has("arrive");
  return true;
}

void fence(Warp& warp, const Instruction&) { warp.block->order().fence(warp.index); }

}  // namespace

Instruction returnInstruction(uint32_t place) {
  Instruction instruction;
  instruction.run = returnFromCall;
  instruction.index = place;
  return instruction;
}

bool decodeControl(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  if (name == "bra" || name == "brx") return decodeBranch(decoder, statement, instruction);
  if (name == "call") return decodeCall(decoder, statement, instruction);
  if (name == "bar" || name == "barrier") return decodeBarrier(decoder, statement, instruction);
  if (name == "exit") instruction.run = exitThreads;
  if (name == "ret") instruction.run = returnFromCall;
  if (name == "trap") instruction.run = trap;
  // A fence for the threads of a block alone orders nothing between blocks.
  if (name == "membar" || name == "fence") instruction.run = statement.has("cta") ? nothing : fence;
  if (name == "nanosleep" || name == "pragma") instruction.run = nothing;
  return instruction.run != nullptr;
}

}  // namespace alexnet::simulator
