#include "instructions.h"

namespace alexnet::simulator {

bool decodeInstruction(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  static constexpr DecodeFunction kFamilies[] = {
      decodeMove,    decodeInteger,   decodeBits,   decodeRounding, decodeFloating, decodeHalf,   decodeCompare,
      decodeConvert, decodeLoadStore, decodeAtomic, decodeControl,  decodeWarpWide, decodeMatrix, decodeAsyncCopy,
  };
  for (const DecodeFunction decode : kFamilies) {
    if (decode(decoder, statement, instruction)) return true;
  }
  return false;
}

}  // namespace alexnet::simulator
