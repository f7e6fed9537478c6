#include "release.h"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../../core/queue.h"
#include "streams.h"

namespace alexnet::cuda {
namespace {

struct Releases {
  std::mutex mutex;  // of `waiting`
  std::vector<std::function<void()>> waiting;
  std::mutex releasing;  // held while they run: releaseNow() waits for another thread's too
};

// Never destroyed: memory is still given back while the process ends.
Releases& releases() {
  static auto* const all = new Releases;
  return *all;
}

Queue& releasingThread() {
  // Never destroyed either. It ends at exit, before the CUDA runtime's exit handlers, which were registered first.
  static auto* const queue = [] {
    auto* const made = new Queue([] {});
    std::atexit([] { releasingThread().cancel(); });
    return made;
  }();
  return *queue;
}

}  // namespace

void releaseLater(std::function<void()> release) {
  {
    const std::lock_guard<std::mutex> lock(releases().mutex);
    releases().waiting.push_back(std::move(release));
  }
  releasingThread().push(releaseNow);
}

void releaseNow() {
  const std::lock_guard<std::mutex> running(releases().releasing);
  for (;;) {  // what is released may release more
    std::vector<std::function<void()>> due;
    {
      const std::lock_guard<std::mutex> lock(releases().mutex);
      due.swap(releases().waiting);
    }
    if (due.empty()) return;
    Streams::finishAll();
    for (const auto& release : due) release();
  }
}

}  // namespace alexnet::cuda
