#include "async_copies.h"

#include <cstring>
#include <string>

#include "fault.h"
#include "warp.h"

namespace alexnet::simulator {

AsyncCopies::Thread& AsyncCopies::threadOf(const Warp& warp, int lane) {
  return threads_[static_cast<size_t>(warp.index * kLanes + lane)];
}

void AsyncCopies::land(const Copy& copy) {
  if (copy.sourceBytes > 0) std::memcpy(copy.to, copy.from, copy.sourceBytes);
  std::memset(copy.to + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
}

void AsyncCopies::issue(const Warp& warp, int lane, uint64_t to, uint32_t bytes, const std::byte* from,
                        uint32_t sourceBytes) {
  Thread& thread = threadOf(warp, lane);
  std::byte* place = shared_.beginCopy(warp, lane, to, bytes);
  const bool early = schedule_.pick(2) != 0;
  thread.copies.push_back({place, from, bytes, sourceBytes, thread.groups, early});
  if (early) {
    land(thread.copies.back());
  } else {
    std::memset(place, 0xff, bytes);
  }
}

void AsyncCopies::end(const Warp& warp, int lane, uint32_t group) {
  std::vector<Copy>& copies = threadOf(warp, lane).copies;
  size_t ended = 0;
  for (; ended < copies.size() && copies[ended].group < group; ++ended) {
    const Copy& copy = copies[ended];
    if (!copy.landed) land(copy);
    shared_.endCopy(warp, lane, copy.to, copy.bytes);
  }
  copies.erase(copies.begin(), copies.begin() + static_cast<std::ptrdiff_t>(ended));
}

void AsyncCopies::waitGroups(const Warp& warp, int lane, uint32_t pending) {
  const uint32_t groups = threadOf(warp, lane).groups;
  if (groups > pending) end(warp, lane, groups - pending);
}

void AsyncCopies::waitAll(const Warp& warp, int lane) {
  commit(warp, lane);
  waitGroups(warp, lane, 0);
}

void AsyncCopies::requireNone(const Warp& warp, int lane) {
  const size_t count = threadOf(warp, lane).copies.size();
  if (count == 0) return;
  throw Fault(lane, "ends with " + std::to_string(count) + (count == 1 ? " copy" : " copies") +
                        " to shared memory in flight (cp.async) that it never waited for");
}

}  // namespace alexnet::simulator
