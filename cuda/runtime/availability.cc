#include "availability.h"

namespace alexnet::cuda {
namespace {

std::string toString(int version) {
  return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// The oldest driver for a CUDA release, by NVIDIA's table of minor version compatibility.
std::string neededDriver(int runtimeVersion) {
  switch (runtimeVersion / 1000) {
    case 11: return "driver 450 or newer";
    case 12: return "driver 525 or newer";
    case 13: return "driver 580 or newer";
    default: return "a driver that supports " + toString(runtimeVersion);
  }
}

// "cuda:0 NVIDIA H100, cuda:1 NVIDIA T4"
std::string listed(const std::vector<std::string>& boards) {
  std::string text;
  for (size_t gpu = 0; gpu < boards.size(); ++gpu) {
    text += (gpu == 0 ? "cuda:" : ", cuda:") + std::to_string(gpu) + " " + boards[gpu];
  }
  return text;
}

// What else helps with a driver of an older release. Of those before CUDA 12, nothing that was tried.
std::string rebuildFor(int driverVersion) {
  const int release = driverVersion / 1000;
  if (release < 12) return "";
  return ", or build the addon with an nvcc of CUDA " + std::to_string(release) + " (cuda/README.md, Building)";
}

}  // namespace

Availability availabilityFrom(const Findings& findings) {
  Availability result;
  result.runtimeVersion = findings.runtimeVersion;
  result.driverVersion = findings.driverVersion;
  const std::string build = "This build uses " + toString(findings.runtimeVersion);
  if (findings.driverVersion == 0) {
    result.reason = "no-driver";
    result.message = "No NVIDIA driver was found. " + build + ": for a GPU, install " +
                     neededDriver(findings.runtimeVersion) + "; in a container, pass the GPU in (--gpus all).";
  } else if (findings.status == cudaErrorInsufficientDriver) {
    result.reason = "driver-too-old";
    result.message = "The NVIDIA driver is too old: it supports " + toString(findings.driverVersion) + " at most. " +
                     build + ": install " + neededDriver(findings.runtimeVersion) + rebuildFor(findings.driverVersion) +
                     ".";
  } else if (findings.status != cudaSuccess && findings.status != cudaErrorNoDevice) {
    result.reason = "no-device";
    result.message = std::string("The NVIDIA driver cannot use a GPU: ") + cudaGetErrorString(findings.status) + " (" +
                     cudaGetErrorName(findings.status) +
                     "). See what nvidia-smi says; after a driver update, restart the machine.";
  } else if (findings.boards.empty()) {
    result.reason = "no-device";
    result.message = "The NVIDIA driver (" + toString(findings.driverVersion) +
                     ") found no GPU. See what nvidia-smi lists, and whether CUDA_VISIBLE_DEVICES hides it.";
  } else {
    result.reason = "available";
    result.message = "Found " + listed(findings.boards) + ".";
  }
  return result;
}

}  // namespace alexnet::cuda
