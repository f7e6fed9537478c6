#include "check.h"

#include <cstdlib>
#include <map>
#include <mutex>

#include "status.h"

namespace alexnet::cuda {
namespace {

struct Losses {
  std::mutex mutex;
  std::map<int, std::string> reasons;  // by GPU: its first error
};

// Never destroyed: work may fail while the process ends.
Losses& losses() {
  static auto* const all = new Losses;
  return *all;
}

std::string adviceFor(cudaError_t status) {
  const auto [isSticky, advice] = meaningOf(status);
  if (*advice != '\0') return std::string(" ") + advice;
  if (!isSticky || synchronousLaunches()) return "";
  return " A kernel that was launched before may be the culprit: ALEXNET_SYNC=1 finds it.";
}

// The calling thread's GPU; -1 where there is none.
int currentGpu() {
  int gpu = 0;
  if (cudaGetDevice(&gpu) == cudaSuccess) return gpu;
  cudaGetLastError();
  return -1;
}

}  // namespace

bool synchronousLaunches() {
  static const bool asked = [] {
    const char* const value = std::getenv("ALEXNET_SYNC");
    return value && std::string(value) == "1";
  }();
  return asked;
}

bool isLost(int gpu) {
  const std::lock_guard<std::mutex> lock(losses().mutex);
  return losses().reasons.count(gpu) > 0;
}

std::string lose(int gpu, const std::string& reason) {
  const std::lock_guard<std::mutex> lock(losses().mutex);
  const auto [first, isNew] = losses().reasons.emplace(gpu, reason);
  const std::string id = gpu < 0 ? "The GPU" : "cuda:" + std::to_string(gpu);
  if (isNew) return reason + " " + id + " does not work in this process any more: restart it.";
  return id + " does not work in this process any more, since an earlier error: " + first->second +
         " Restart the process.";
}

void fail(cudaError_t status, const char* call) {
  cudaGetLastError();  // clears the error, or the next launch would be blamed for it
  const int gpu = currentGpu();
  const std::string text = call + (gpu < 0 ? "" : " on cuda:" + std::to_string(gpu)) + ": " +
                           cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")." + adviceFor(status);
  if (meaningOf(status).isSticky) throw Error(kOperation, lose(gpu, text));
  throw Error(status == cudaErrorMemoryAllocation ? kMemory : kOperation, text);
}

}  // namespace alexnet::cuda
