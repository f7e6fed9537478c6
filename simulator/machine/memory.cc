#include "memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

namespace alexnet::simulator {
namespace {

constexpr uint64_t kDeviceSpace = 1ULL << 48;  // no address of the host is as high
constexpr uint64_t kDeviceStride = 1ULL << 43;
constexpr uint64_t kAlignment = 256;
constexpr size_t kFreedKept = 4096;

std::byte* map(uint64_t bytes) {
  void* memory =
      mmap(nullptr, std::max<uint64_t>(bytes, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(memory);
}

uint64_t words(uint64_t bytes) { return (bytes + 3) / 4; }

}  // namespace

Memory::~Memory() {
  for (auto& [base, allocation] : allocations_) {
    if (!allocation->freed) drop(*allocation);
  }
}

Allocation& Memory::add(uint64_t base, uint64_t bytes, int device, std::byte* data) {
  auto allocation = std::make_unique<Allocation>();
  allocation->base = base;
  allocation->bytes = bytes;
  allocation->device = device;
  allocation->data = data;
  if (checked) allocation->state = reinterpret_cast<uint8_t*>(map(words(bytes)));  // zeros: nothing written
  std::memset(data, 0xff, bytes);
  taken_.emplace(device, block).first->second.take(base, bytes);
  return *(allocations_[base] = std::move(allocation));
}

uint64_t Memory::allocate(int device, uint64_t bytes) {
  uint64_t& next = next_[device];
  const uint64_t base = kDeviceSpace + kDeviceStride * static_cast<uint64_t>(device) + kAlignment * 4 + next;
  next += (bytes + kAlignment - 1) / kAlignment * kAlignment + 4 * kAlignment;
  add(base, bytes, device, map(bytes));
  return base;
}

void* Memory::allocateHost(uint64_t bytes) {
  std::byte* data = map(bytes);
  const Allocation& allocation = add(reinterpret_cast<uint64_t>(data), bytes, kHost, data);
  // The host writes its own memory as it likes: all of it counts as written.
  if (allocation.state != nullptr) std::memset(allocation.state, kWritten, words(bytes));
  return data;
}

bool Memory::release(uint64_t address) {
  const auto found = allocations_.find(address);
  if (found == allocations_.end() || found->second->freed) return false;
  drop(*found->second);
  if (found->second->device == kHost) {  // the system gives this address out again
    allocations_.erase(found);
    return true;
  }
  freed_.push_back(address);
  if (freed_.size() > 2 * kFreedKept) {
    for (size_t i = 0; i < kFreedKept; ++i) allocations_.erase(freed_[i]);
    freed_.erase(freed_.begin(), freed_.begin() + kFreedKept);
  }
  return true;
}

void Memory::drop(Allocation& allocation) {
  allocation.freed = true;
  taken_.at(allocation.device).giveBack(allocation.base, allocation.bytes);
  munmap(allocation.data, std::max<uint64_t>(allocation.bytes, 1));
  if (allocation.state != nullptr) munmap(allocation.state, std::max<uint64_t>(words(allocation.bytes), 1));
  if (allocation.writers != nullptr) munmap(allocation.writers, std::max<uint64_t>(words(allocation.bytes) * 4, 1));
  allocation.data = nullptr;
  allocation.writers = nullptr;
  allocation.state = nullptr;
  touched_.erase(std::remove(touched_.begin(), touched_.end(), &allocation), touched_.end());
}

uint64_t Memory::bytesOn(int device) const {
  const auto found = taken_.find(device);
  return found == taken_.end() ? 0 : found->second.taken();
}

uint64_t Memory::costOn(int device, uint64_t bytes) const {
  const auto found = taken_.find(device);
  return (found == taken_.end() ? Blocks(block) : found->second).costOf(bytes);
}

Allocation* Memory::find(uint64_t address, uint64_t bytes) {
  auto after = allocations_.upper_bound(address);
  if (after == allocations_.begin()) return nullptr;
  Allocation& allocation = *std::prev(after)->second;
  return !allocation.freed && allocation.contains(address, bytes) ? &allocation : nullptr;
}

std::string Memory::explain(uint64_t address, uint64_t bytes) const {
  auto after = allocations_.upper_bound(address);
  if (after != allocations_.begin()) {
    const Allocation& before = *std::prev(after)->second;
    const std::string what = std::to_string(before.bytes) + " bytes of " + deviceName(before.device);
    const uint64_t end = before.base + before.bytes;
    if (before.freed && address < end) return "in " + what + " that were freed";
    if (address < end) return "across the end of " + what;
    if (address - end < 65536) return std::to_string(address - end) + " bytes after the end of " + what;
  }
  if (after != allocations_.end() && after->first - address < 65536) {
    return std::to_string(after->first - address) + " bytes before " + std::to_string(after->second->bytes) +
           " bytes of " + deviceName(after->second->device);
  }
  if (address + bytes < 65536) return "a null pointer or an offset from one";
  return address < kDeviceSpace ? "in no memory that a device may touch: an address of the host that is not pinned?"
                                : "in no allocation";
}

void Memory::setPeer(int from, int to, bool enabled) {
  if (enabled) {
    peers_.insert({from, to});
  } else {
    peers_.erase({from, to});
  }
}

bool Memory::hasPeer(int from, int to) const { return peers_.count({from, to}) > 0; }

void Memory::remember(Allocation& allocation, uint64_t from, uint64_t to) {
  if (allocation.touchedFrom >= allocation.touchedTo) touched_.push_back(&allocation);
  allocation.touchedFrom = std::min(allocation.touchedFrom, from);
  allocation.touchedTo = std::max(allocation.touchedTo, to);
}

void Memory::touch(Allocation& allocation, uint64_t from, uint64_t to, bool written) {
  if (from >= to) return;
  remember(allocation, from, to);
  if (allocation.state == nullptr) return;
  if (written) {
    markWritten(allocation, from, to, kWrittenNow);
  } else {
    for (uint64_t word = from / 4; word < words(to); ++word) allocation.state[word] |= kReadNow;
  }
}

std::vector<Interval> Memory::takeTouched() {
  std::vector<Interval> result;
  for (Allocation* allocation : touched_) {
    const uint64_t end = words(allocation->touchedTo);
    for (const uint8_t bit : {kReadNow, kWrittenNow}) {
      uint64_t start = 0;
      bool inside = false;
      for (uint64_t word = allocation->touchedFrom / 4; allocation->state != nullptr && word <= end; ++word) {
        const bool touched = word < end && (allocation->state[word] & bit);
        if (touched && !inside) start = word;
        if (!touched && inside) result.push_back({allocation, start * 4, word * 4, bit == kWrittenNow});
        inside = touched;
      }
    }
    for (uint64_t word = allocation->touchedFrom / 4; allocation->state != nullptr && word < end; ++word) {
      allocation->state[word] &= kWritten;
    }
    allocation->touchedFrom = ~0ULL;
    allocation->touchedTo = 0;
  }
  touched_.clear();
  return result;
}

void markWritten(Allocation& allocation, uint64_t from, uint64_t to, uint8_t extra) {
  if (allocation.state == nullptr || from >= to) return;
  const uint64_t first = from / 4, last = (to - 1) / 4;
  for (uint64_t word = first; word <= last; ++word) {
    uint8_t bytes = kWritten;
    if (word == first) bytes &= static_cast<uint8_t>(0x0f << from % 4);
    if (word == last) bytes &= static_cast<uint8_t>(0x0f >> (3 - (to - 1) % 4));
    allocation.state[word] |= static_cast<uint8_t>(bytes | extra);
  }
}

void rememberWriters(Allocation& allocation) {
  if (allocation.writers != nullptr) return;
  allocation.writers = reinterpret_cast<uint32_t*>(map(words(allocation.bytes) * sizeof(uint32_t)));  // zeros: nobody
}

uint64_t firstUnwritten(const Allocation& allocation, uint64_t from, uint64_t to) {
  if (allocation.state == nullptr) return to;
  for (uint64_t at = from; at < to; at = (at / 4 + 1) * 4) {
    const uint8_t missing = static_cast<uint8_t>(~allocation.state[at / 4] & kWritten);
    for (uint64_t byte = at; missing != 0 && byte < std::min(to, (at / 4 + 1) * 4); ++byte) {
      if (missing >> byte % 4 & 1) return byte;
    }
  }
  return to;
}

std::string deviceName(int device) { return device == kHost ? "pinned host memory" : "cuda:" + std::to_string(device); }

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace alexnet::simulator
