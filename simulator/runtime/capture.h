// What streams are given while they are captured.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace alexnet::simulator {

struct Stream;

struct Node {
  int device = 0;
  std::string name;
  std::function<void()> run;
  std::set<size_t> after;  // nodes
};

// A capture under way, and afterwards its graph.
struct Capture {
  Stream* origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  std::set<Stream*> streams;
  std::vector<Node> nodes;
  bool ended = false;
  std::string invalid;  // why it is of no use, if it is
};

}  // namespace alexnet::simulator
