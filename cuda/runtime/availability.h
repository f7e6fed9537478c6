// What the CUDA runtime found, in words for the user.
#pragma once

#include <cuda_runtime_api.h>

#include <string>
#include <vector>

#include "../../core/backend.h"

namespace alexnet::cuda {

struct Findings {
  cudaError_t status = cudaSuccess;  // of looking for GPUs
  int runtimeVersion = 0;            // 13000 means 13.0
  int driverVersion = 0;             // newest CUDA version the driver supports; 0 where there is no driver
  std::vector<std::string> boards;   // names of the GPUs
};

Availability availabilityFrom(const Findings& findings);

}  // namespace alexnet::cuda
