#include "launch_order.h"

#include <algorithm>
#include <string>

#include "fault.h"

namespace alexnet::simulator {
namespace {

constexpr uint32_t kByByte = 0xffffffffU;  // in the place of a writer: bytes_ has those of each byte

}  // namespace

uint32_t LaunchOrder::next_ = 1;

LaunchOrder::LaunchOrder(Dimensions grid, size_t warps) : grid_(grid), unfenced_(warps) {
  first_ = next_;
  next_ += static_cast<uint32_t>(grid.count());  // four billion blocks would take days
}

void LaunchOrder::beginBlock(uint64_t number) {
  self_ = first_ + static_cast<uint32_t>(number);
  unfenced_.assign(unfenced_.size(), false);
  unfencedAtBarrier_ = false;
  seen_.clear();
  promised_.clear();
}

void LaunchOrder::barrier() {
  for (const bool unfenced : unfenced_) unfencedAtBarrier_ = unfencedAtBarrier_ || unfenced;
  unfenced_.assign(unfenced_.size(), false);
}

void LaunchOrder::fence(int warp) {
  unfenced_[static_cast<size_t>(warp)] = false;
  unfencedAtBarrier_ = false;
  seen_.insert(promised_.begin(), promised_.end());
  promised_.clear();
}

bool LaunchOrder::isReleased() const {
  return !unfencedAtBarrier_ && std::find(unfenced_.begin(), unfenced_.end(), true) == unfenced_.end();
}

uint32_t LaunchOrder::writerOf(const Allocation& allocation, uint64_t byte) const {
  const uint32_t writer = allocation.writers[byte / 4];
  if (writer != kByByte) return writer < first_ ? 0 : writer;
  const auto found = bytes_.find(allocation.base + byte / 4 * 4);
  return found == bytes_.end() ? 0 : found->second[byte % 4];
}

void LaunchOrder::requireOrder(const Allocation& allocation, uint64_t byte, Use use, int lane) const {
  const uint32_t writer = writerOf(allocation, byte);
  if (writer == 0 || (writer == self_ && use != Use::readOnly)) return;
  if (use == Use::update && atomics_.count(allocation.base + byte / 4 * 4) > 0) return;
  const std::string what =
      std::string(verb(use)) + "global memory at " + std::to_string(byte) + " of " + std::to_string(allocation.bytes);
  if (use == Use::readOnly) throw Fault(lane, what + " as read-only (ld.global.nc), though the same launch writes it");
  if (seen_.count(writer) > 0) return;
  throw Fault(lane, "race between blocks: " + what + " that block " + grid_.place(writer - first_).text() +
                        " of the same launch wrote, and no fences and atomics order the two");
}

void LaunchOrder::touchWords(Allocation& allocation, uint64_t offset, uint32_t bytes, Use use, int warp, int lane) {
  if (!isRead(use)) rememberWriters(allocation);
  const uint64_t end = offset + bytes;
  for (uint64_t from = offset, to; from < end; from = to) {
    to = std::min(end, (from / 4 + 1) * 4);
    const uint32_t writer = allocation.writers[from / 4];
    if (writer >= first_ && (writer != self_ || use == Use::readOnly)) {
      for (uint64_t byte = from; byte < to; ++byte) requireOrder(allocation, byte, use, lane);
    }
    if (isRead(use)) continue;
    remember(allocation, from, to);
    if (use == Use::update) {
      update(allocation.base + from);
    } else if (!atomics_.empty()) {
      atomics_.erase(allocation.base + from / 4 * 4);
    }
  }
  if (isRead(use)) return;
  allocation.launch = first_;
  if (use == Use::write) unfenced_[static_cast<size_t>(warp)] = true;
}

// [from, to) within a word.
void LaunchOrder::remember(Allocation& allocation, uint64_t from, uint64_t to) {
  uint32_t& writer = allocation.writers[from / 4];
  if (to - from == 4 || writer == self_) {
    writer = self_;
    return;
  }
  std::array<uint32_t, 4> writers;
  for (uint64_t byte = 0; byte < 4; ++byte) writers[byte] = writerOf(allocation, from / 4 * 4 + byte);
  for (uint64_t byte = from; byte < to; ++byte) writers[byte % 4] = self_;
  bytes_[allocation.base + from / 4 * 4] = writers;
  writer = kByByte;
}

// The running block learns what the word tells of, and tells by it what it did itself where that is visible.
void LaunchOrder::update(uint64_t address) {
  Blocks& told = atomics_[address];
  promised_.insert(told.begin(), told.end());
  if (!isReleased()) return;
  told.insert(seen_.begin(), seen_.end());
  told.insert(self_);
}

}  // namespace alexnet::simulator
