#include "submission.h"

#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

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

}  // namespace

std::shared_ptr<Queue> submissions() {
  // Never destroyed either. Its thread ends at exit, before the CUDA runtime's exit handlers, which were registered first.
  static auto* const queue = [] {
    auto* const made = new std::shared_ptr<Queue>(std::make_shared<Queue>([] {}));
    std::atexit([] { submissions()->cancel(); });
    return made;
  }();
  return *queue;
}

void releaseLater(std::function<void()> release) {
  {
    const std::lock_guard<std::mutex> lock(releases().mutex);
    releases().waiting.push_back(std::move(release));
  }
  submissions()->push(releaseNow);
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
    for (const auto& release : due) release();
  }
}

}  // namespace alexnet::cuda
