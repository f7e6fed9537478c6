#include "peers.h"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "check.h"

namespace alexnet::cuda {
namespace {

struct Peers {
  std::mutex mutex;
  std::map<int, std::map<int, std::string>> opened;  // by GPU and one opened before: why they do not reach each other
};

Peers& peers() {
  static Peers all;
  return all;
}

cudaError_t letIn(int from, int to) {
  cudaError_t status = cudaSetDevice(from);
  if (status == cudaSuccess) status = cudaDeviceEnablePeerAccess(to, 0);
  return status == cudaErrorPeerAccessAlreadyEnabled ? cudaSuccess : status;
}

// Why two GPUs do not reach each other though they say that they can; else "".
std::string letEachOtherIn(int one, int other) {
  if (isLost(one) || isLost(other) || !canReach(one, other) || !canReach(other, one)) return "";
  cudaError_t status = letIn(one, other);
  if (status == cudaSuccess) {
    status = letIn(other, one);
    if (status != cudaSuccess && cudaSetDevice(one) == cudaSuccess) cudaDeviceDisablePeerAccess(other);
  }
  if (status == cudaSuccess) return "";
  return "Copies between cuda:" + std::to_string(other) + " and cuda:" + std::to_string(one) +
         " go through the host, which is slower: peer access failed with " + cudaGetErrorString(status) + " (" +
         cudaGetErrorName(status) + "). ALEXNET_PEER=0 keeps it from being tried.";
}

}  // namespace

bool canReach(int from, int to) {
  static const bool wanted = [] {
    const char* const value = std::getenv("ALEXNET_PEER");
    return !value || std::string(value) != "0";
  }();
  int can = 0;
  return wanted && cudaDeviceCanAccessPeer(&can, from, to) == cudaSuccess && can != 0;
}

std::vector<std::string> connectPeers(int gpu) {
  const std::lock_guard<std::mutex> lock(peers().mutex);
  auto& opened = peers().opened;
  if (opened.count(gpu) == 0) {
    std::map<int, std::string> failures;
    for (const auto& [other, known] : opened) failures.emplace(other, letEachOtherIn(gpu, other));
    opened.emplace(gpu, std::move(failures));
  }
  cudaGetLastError();  // or the next launch would be blamed for it
  check(cudaSetDevice(gpu), "cudaSetDevice");
  std::vector<std::string> notes;
  for (const auto& [other, failure] : opened.at(gpu)) {
    if (!failure.empty()) notes.push_back(failure);
  }
  return notes;
}

}  // namespace alexnet::cuda
