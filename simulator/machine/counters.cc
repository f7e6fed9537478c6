#include "counters.h"

#include <algorithm>

namespace alexnet::simulator {
namespace {

constexpr uint32_t kBanks = 32, kSector = 32;

// Shared memory serves 32 lanes at a time where each asks for a word, and as many fewer as each asks for more.
constexpr int lanesAtOnce(uint32_t bytes) { return bytes <= 4 ? 32 : bytes == 8 ? 16 : 8; }

// Words of one bank come one after the other.
uint64_t wavefrontsOf(std::vector<uint64_t>& words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  uint64_t perBank[kBanks] = {};
  for (const uint64_t word : words) ++perBank[word % kBanks];
  return *std::max_element(perBank, perBank + kBanks);
}

}  // namespace

void Counters::beginLaunch() {
  ++launches_;
  sectors_.clear();
  recent_ = nullptr;
  block_ = 0;
}

void Counters::touchShared(const Instruction& instruction, uint32_t mask, const uint64_t (&addresses)[kLanes],
                           uint32_t bytes) {
  Access& wavefronts = counts_[instruction.index].wavefronts;
  const int group = lanesAtOnce(bytes);
  std::vector<uint64_t> words;
  for (int first = 0; first < kLanes; first += group) {
    words.clear();
    for (int lane = first; lane < first + group; ++lane) {
      if (!(mask >> lane & 1)) continue;
      for (uint64_t word = addresses[lane] / 4; word <= (addresses[lane] + bytes - 1) / 4; ++word)
        words.push_back(word);
    }
    if (words.empty()) continue;
    wavefronts.counted += wavefrontsOf(words);
    ++wavefronts.ideal;
  }
}

void Counters::touchGlobal(const Instruction& instruction, uint32_t mask, const uint64_t (&addresses)[kLanes],
                           const uint32_t (&bytes)[kLanes]) {
  Access& sectors = counts_[instruction.index].sectors;
  std::vector<std::pair<uint64_t, uint32_t>> touched;
  forEachLane(mask, [&](int lane) {
    if (bytes[lane] > 0) touched.emplace_back(addresses[lane], bytes[lane]);
  });
  std::sort(touched.begin(), touched.end());
  uint64_t distinctBytes = 0, end = 0, last = ~0ULL;
  for (const auto& [address, length] : touched) {
    const uint64_t from = std::max(address, end);
    if (address + length > from) distinctBytes += address + length - from;
    end = std::max(end, address + length);
    if (address / kSector != last) ++sectors.counted;
    last = address / kSector;
  }
  sectors.ideal += (distinctBytes + kSector - 1) / kSector;
}

void Counters::touchSector(const Allocation& allocation, uint64_t offset, Use use) {
  if (recent_ == nullptr || recentBase_ != allocation.base) {
    recent_ = &sectors_[allocation.base];
    recentBase_ = allocation.base;
    recent_->resize((allocation.bytes + kSector - 1) / kSector);
  }
  Sector& sector = (*recent_)[offset / kSector];
  if (use != Use::write) {
    if (sector.reader == 0) ++distinct_.read;
    if (sector.reader != block_) ++distinct_.readByBlocks;
    sector.reader = block_;
  }
  if (!isRead(use)) {
    if (!sector.written) ++distinct_.written;
    sector.written = true;
  }
}

}  // namespace alexnet::simulator
