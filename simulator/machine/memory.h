// Global memory of all devices, and the host's pinned memory: what is allocated, what was written, and who touched it.
//
// Device addresses are made up, beyond every address of the host, so that neither can be mistaken for the other, and
// never used twice. Between allocations lie gaps. For each word there is a byte of state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "blocks.h"

namespace alexnet::simulator {

constexpr int kHost = -1;

// Bits of a word's state: which of its bytes were written ever, and what the running operation did with it.
constexpr uint8_t kWritten = 0x0f;
constexpr uint8_t kReadNow = 0x10;
constexpr uint8_t kWrittenNow = 0x20;

struct Allocation {
  uint64_t base = 0;
  uint64_t bytes = 0;
  int device = kHost;
  std::byte* data = nullptr;
  uint8_t* state = nullptr;  // of each 4-byte word; null where nothing is checked
  // Of each word: the block that wrote it last, and of all: the launch (LaunchOrder). Null until a kernel writes here.
  uint32_t* writers = nullptr;
  uint32_t launch = 0;
  bool freed = false;
  bool owned = true;
  // What the running operation touched lies in here; nothing where `touchedFrom` is not less.
  uint64_t touchedFrom = ~0ULL;
  uint64_t touchedTo = 0;

  bool contains(uint64_t address, uint64_t length) const {
    return address >= base && length <= bytes && address - base <= bytes - length;
  }
};

enum class Use { read, readOnly, write, update };  // read-only: by the path that sees no writes of the same launch

constexpr bool isRead(Use use) { return use == Use::read || use == Use::readOnly; }
constexpr const char* verb(Use use) { return isRead(use) ? "reads " : use == Use::write ? "writes " : "updates "; }

// Bytes that an operation touched.
struct Interval {
  Allocation* allocation;
  uint64_t from, to;  // within the allocation
  bool written;
};

class Memory {
 public:
  ~Memory();

  // Address of new memory, filled with 0xff. 256-byte aligned.
  uint64_t allocate(int device, uint64_t bytes);
  // Pinned host memory, whose address every device knows.
  void* allocateHost(uint64_t bytes);
  // False where there is no such allocation, or it was freed before.
  bool release(uint64_t address);
  // Forgets `allocation`'s bytes and all.
  bool isLive(uint64_t address) const;
  // What is taken of a device's memory, and by another allocation.
  uint64_t bytesOn(int device) const;
  uint64_t costOn(int device, uint64_t bytes) const;

  // The live allocation that holds all of these bytes, or null.
  Allocation* find(uint64_t address, uint64_t bytes);
  // Why there is none: "4 bytes beyond the end of 4096 bytes of cuda:0".
  std::string explain(uint64_t address, uint64_t bytes) const;

  void setPeer(int from, int to, bool enabled);
  bool hasPeer(int from, int to) const;

  // Notes what the running operation does. `allocation` holds the bytes.
  void touch(Allocation& allocation, uint64_t from, uint64_t to, bool written);
  // What was touched since the last call, in runs.
  std::vector<Interval> takeTouched();
  // Remembers `allocation` for takeTouched(), where the state itself was marked elsewhere.
  void remember(Allocation& allocation, uint64_t from, uint64_t to);

  bool checked = true;  // whether new allocations get a state
  uint64_t block = 1;   // what device memory is handed out in; not to be changed after the first

 private:
  Allocation& add(uint64_t base, uint64_t bytes, int device, std::byte* data);
  void drop(Allocation& allocation);

  std::map<uint64_t, std::unique_ptr<Allocation>> allocations_;  // freed ones too, for what explain() says of them
  std::vector<uint64_t> freed_;
  std::map<int, uint64_t> next_;
  std::map<int, Blocks> taken_;  // by device
  std::set<std::pair<int, int>> peers_;
  std::vector<Allocation*> touched_;
};

// Byte offsets within an allocation.
void markWritten(Allocation& allocation, uint64_t from, uint64_t to, uint8_t extra);
// Takes memory for `writers`, once.
void rememberWriters(Allocation& allocation);
// First byte in [from, to) that nobody wrote, or `to`.
uint64_t firstUnwritten(const Allocation& allocation, uint64_t from, uint64_t to);

std::string deviceName(int device);
std::string hex(uint64_t value);

}  // namespace alexnet::simulator
