#include "memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <mutex>

#include "cgroup.h"

namespace alexnet::cpu {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLargestSmallBlock = size_t{1} << 20;
constexpr size_t kMostKept = size_t{64} << 20;  // bytes of free small blocks
constexpr size_t kClasses = 64;

// The address sanitizer knows where a block of the heap ends and when it is gone, to the byte. So under it every block is
// one of its own: none is rounded up, kept for reuse or mapped.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kWatched = true;
#else
constexpr bool kWatched = false;
#endif

void* takeWatched(size_t bytes) {
  void* block = nullptr;
  return posix_memalign(&block, kAlignment, bytes) == 0 ? block : nullptr;
}

size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Four sizes to a doubling, so that at most a fifth of a block is wasted.
size_t classOf(size_t bytes) {
  bytes = std::max(bytes, kAlignment);
  size_t power = kAlignment;
  size_t index = 0;
  for (; power * 2 <= bytes; power *= 2) index += 4;
  return index + (bytes - power + power / 4 - 1) / (power / 4);
}

size_t sizeOfClass(size_t index) {
  const size_t power = kAlignment << (index / 4);
  return roundUp(power + index % 4 * (power / 4), kAlignment);
}

// Free small blocks by size class. The heap would otherwise grow without end where blocks come and go with
// objects of the JavaScript collector. One for the process: blocks outlive the device and even the
// environment they came from.
class SmallBlocks {
 public:
  void* take(size_t bytes) {
    if (kWatched) return takeWatched(bytes);
    const size_t index = classOf(bytes);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      std::vector<void*>& blocks = free_[index];
      if (!blocks.empty()) {
        void* block = blocks.back();
        blocks.pop_back();
        kept_ -= sizeOfClass(index);
        return block;
      }
    }
    return std::aligned_alloc(kAlignment, sizeOfClass(index));
  }

  void release(void* block, size_t bytes) {
    if (kWatched) return std::free(block);
    const size_t index = classOf(bytes);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (kept_ + sizeOfClass(index) <= kMostKept) {
        free_[index].push_back(block);
        kept_ += sizeOfClass(index);
        return;
      }
    }
    std::free(block);
  }

 private:
  std::mutex mutex_;
  std::array<std::vector<void*>, kClasses> free_;
  size_t kept_ = 0;
};

// Never destroyed: blocks are still released while the process ends.
SmallBlocks& smallBlocks() {
  static auto* blocks = new SmallBlocks;
  return *blocks;
}

std::atomic<int64_t> largeBytes{0};  // live large blocks of the process

size_t largeSize(size_t bytes) { return roundUp(bytes, kHugePage); }

// Maps whole huge pages: fewer page faults at first use, fewer TLB misses after.
void* takeLarge(size_t bytes) {
  if (kWatched) return takeWatched(bytes);
  const size_t size = largeSize(bytes);
  void* mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* start = static_cast<char*>(mapped);
  auto* aligned = reinterpret_cast<char*>(roundUp(reinterpret_cast<size_t>(start), kHugePage));
  const auto before = static_cast<size_t>(aligned - start);
  if (before > 0) munmap(start, before);
  if (before < kHugePage) munmap(aligned + size, kHugePage - before);
  madvise(aligned, size, MADV_HUGEPAGE);
  largeBytes += static_cast<int64_t>(size);
  return aligned;
}

void releaseLarge(void* block, size_t bytes) {
  if (kWatched) return std::free(block);
  munmap(block, largeSize(bytes));
  largeBytes -= static_cast<int64_t>(largeSize(bytes));
}

std::string megabytes(int64_t bytes) { return std::to_string((bytes + 999999) / 1000000) + " MB"; }

[[noreturn]] void failFor(size_t bytes, int64_t available, const std::string& owner) {
  throw Error(kMemory, "Out of memory on " + owner + ": " + megabytes(static_cast<int64_t>(bytes)) + " are needed, " +
                           megabytes(available) + " are free. Try a smaller batchSize.");
}

// What this process has, in bytes.
struct Usage {
  int64_t mapped = 0, resident = 0, data = 0;
};

Usage usage() {
  std::ifstream file("/proc/self/statm");
  Usage pages;
  int64_t skipped;
  file >> pages.mapped >> pages.resident >> skipped >> skipped >> skipped >> pages.data;
  const int64_t size = sysconf(_SC_PAGESIZE);
  return {pages.mapped * size, pages.resident * size, pages.data * size};
}

// What `ulimit` leaves of a resource that is used so far.
int64_t leftBelow(__rlimit_resource resource, int64_t used) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(limit.rlim_cur) - used;
}

int64_t physicalMemory() { return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE); }

int64_t availableInMachine() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  int64_t kilobytes = 0;
  while (file >> name >> kilobytes && name != "MemAvailable:") file.ignore(64, '\n');
  return name == "MemAvailable:" ? kilobytes * 1024 : physicalMemory();
}

}  // namespace

int64_t machineMemory() { return std::min(physicalMemory(), groupLimits().memory); }

int64_t availableMemory() {
  const Usage now = usage();
  // The system counts a page once it is touched; what we promised and nobody has touched yet is not free
  // either.
  const int64_t promised = std::max<int64_t>(0, largeBytes - now.resident);
  const int64_t free = std::min(availableInMachine(), groupLimits().freeMemory) - promised;
  const int64_t allowed = std::min(leftBelow(RLIMIT_AS, now.mapped), leftBelow(RLIMIT_DATA, now.data));
  return std::max<int64_t>(0, std::min(free, allowed));
}

Allocation::Allocation(size_t bytes, const std::string& owner) : bytes_(bytes) {
  if (bytes <= kLargestSmallBlock) {
    address_ = smallBlocks().take(bytes);
    if (!address_) failFor(bytes, availableMemory(), owner);
    return;
  }
  const int64_t available = availableMemory();
  if (static_cast<int64_t>(bytes) < available) address_ = takeLarge(bytes);
  if (!address_) failFor(bytes, available, owner);
}

Allocation::~Allocation() {
  if (!address_) return;
  if (bytes_ <= kLargestSmallBlock) {
    smallBlocks().release(address_, bytes_);
  } else {
    releaseLarge(address_, bytes_);
  }
}

}  // namespace alexnet::cpu
