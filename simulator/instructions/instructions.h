// The families of instructions. Each file offers a decoder: false where the statement is none of its own.
#pragma once

#include "../machine/decoder.h"
#include "../machine/memory.h"
#include "../machine/warp.h"

namespace alexnet::simulator {

using DecodeFunction = bool (*)(Decoder&, const ptx::Statement&, Instruction&);

bool decodeInteger(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeBits(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeFloating(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeRounding(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeHalf(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeCompare(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeConvert(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeMove(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeLoadStore(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeAtomic(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeControl(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeWarpWide(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeMatrix(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
bool decodeAsyncCopy(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);

// Tries them all.
bool decodeInstruction(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction);
Instruction returnInstruction(uint32_t place);

// Sets `instruction.locate` and all that it needs for an access of `bytes` by each lane.
void decodeAddress(Decoder& decoder, const ptx::Operand& operand, ptx::Space space, uint32_t bytes, Use use,
                   Instruction& instruction);
ptx::Space spaceOf(const ptx::Statement& statement);
// Throws Fault unless the address is a multiple of `bytes`.
void requireAligned(int lane, uint64_t address, uint32_t bytes);
// Memory of `bytes` bytes at global address `address`, checked for the lane but for its alignment; throws Fault.
std::byte* locateGlobalLane(Warp& warp, const Instruction& instruction, int lane, uint64_t address, uint32_t bytes,
                            Use use);
// Whether all 32 lanes run the instruction together (.sync.aligned). False where others are still on their way to it;
// throws Fault where they never come.
bool isWholeWarp(Warp& warp);

}  // namespace alexnet::simulator
