// How much of a device's memory is taken where it is handed out in blocks: whole ones to large allocations, shared by
// small ones.
#pragma once

#include <cstdint>
#include <map>

namespace alexnet::simulator {

class Blocks {
 public:
  // `block` 1: memory is handed out to the byte.
  explicit Blocks(uint64_t block) : block_(block) {}

  uint64_t taken() const { return taken_; }
  // What is taken besides by an allocation.
  uint64_t costOf(uint64_t bytes) const {
    if (!isSmall(bytes)) return (bytes + block_ - 1) / block_ * block_;
    return shareFor(bytes) == shares_.end() ? block_ : 0;
  }
  void take(uint64_t address, uint64_t bytes) {
    taken_ += costOf(bytes);
    if (!isSmall(bytes)) return;
    auto share = shareFor(bytes);
    if (share == shares_.end()) share = shares_.emplace(next_++, Share{}).first;
    share->second.used += bytes;
    ++share->second.live;
    shareOf_[address] = share->first;
  }
  void giveBack(uint64_t address, uint64_t bytes) {
    if (!isSmall(bytes)) {
      taken_ -= costOf(bytes);
      return;
    }
    const auto share = shares_.find(shareOf_.at(address));
    shareOf_.erase(address);
    if (--share->second.live > 0) return;
    shares_.erase(share);
    taken_ -= block_;
  }

 private:
  struct Share {
    uint64_t used = 0;  // never again, until all in it is given back
    uint64_t live = 0;
  };
  using Shares = std::map<uint64_t, Share>;

  bool isSmall(uint64_t bytes) const { return 2 * bytes < block_; }
  Shares::iterator shareFor(uint64_t bytes) {
    auto share = shares_.begin();
    while (share != shares_.end() && share->second.used + bytes > block_) ++share;
    return share;
  }
  Shares::const_iterator shareFor(uint64_t bytes) const { return const_cast<Blocks*>(this)->shareFor(bytes); }

  const uint64_t block_;
  uint64_t taken_ = 0, next_ = 0;
  Shares shares_;
  std::map<uint64_t, uint64_t> shareOf_;  // by address
};

}  // namespace alexnet::simulator
