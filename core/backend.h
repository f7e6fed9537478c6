// A kind of device: what there is of it here, why not, and how to open one. cpu/ and cuda/ provide one each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device.h"

namespace alexnet {

struct DeviceDescription {
  std::string id;    // "cpu:0", "cuda:1"
  std::string name;  // the processor's or the board's
  int64_t memoryBytes = 0;
  int threads = 0;                   // CPU: those of a device that is the only one
  bool nativeBfloat16 = false;       // bf16 arithmetic in hardware
  std::string computeCapability{};   // CUDA: "8.6"
  std::string arithmetic{};          // CPU: library and instruction set, which decide the last bits of results
  int multiprocessors = 0;           // CUDA
  std::string pciAddress{};          // CUDA: "00000000:01:00.0"
  std::vector<std::string> peers{};  // CUDA: ids of the devices that can reach this one's memory
  std::string threadsLimitedBy{};    // CPU: what allows no more threads; empty where it is the machine
};

// Whether devices of a kind can be had, and if not, why.
struct Availability {
  std::string reason;      // "available", "not-built", "no-driver", "driver-too-old", "no-device"
  std::string message;     // a sentence for the user
  int runtimeVersion = 0;  // CUDA: 13000 means 13.0; 0 where there is none
  int driverVersion = 0;   // CUDA: the newest version the driver supports
  std::string
      builtFor{};  // CUDA: compute capabilities that this build has machine code for, and PTX: "7.5, 8.0 and PTX 8.0"
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* kind() const = 0;  // "cpu" or "cuda"
  virtual Availability availability() const = 0;
  virtual std::vector<DeviceDescription> list() const = 0;
  // Fails with ALEXNET_DEVICE where there is no such device. `threads`: CPU only, at most so many; 0 for all that
  // may be had.
  virtual std::shared_ptr<Device> open(int index, int threads) const = 0;
};

}  // namespace alexnet
