#include "device.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "bytes.h"
#include "cpu.h"
#include "threads.h"

namespace alexnet::cpu {
namespace {

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, 10, "model name") == 0) return line.substr(line.find(':') + 2);
  }
  return "CPU";
}

// The thread of this queue, and those that it shares its loops with (openmp.cc), keep their full share of the processor,
// but do not take it from a thread that runs (the event loop, decoding) when they wake up from a barrier.
void letOthersRunFirst() {
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);
}

class CpuBackend final : public Backend {
 public:
  const char* kind() const override { return "cpu"; }

  Availability availability() const override { return {"available", "The CPU is always there."}; }

  std::vector<DeviceDescription> list() const override {
    const ThreadLimit limit = threadLimit();
    DeviceDescription description{"cpu:0", processorName(), machineMemory(), limit.threads, nativeBfloat16()};
    description.threadsLimitedBy = limit.by;
    description.arithmetic = arithmetic();
    return {description};
  }

  std::shared_ptr<Device> open(int index, int threads) const override {
    const int count = cores();
    if (index < 0 || index >= count) {
      throw Error(kDevice, "There is no cpu:" + std::to_string(index) + " here: with " + std::to_string(count) +
                               (count == 1 ? " core there is cpu:0 alone."
                                           : " cores there are cpu:0 to cpu:" + std::to_string(count - 1) +
                                                 ", each with a share of the cores."));
    }
    const int most = threadLimit().threads;
    return std::make_shared<CpuDevice>(index, threads == 0 ? most : std::min(threads, most));
  }
};

}  // namespace

const Backend& backend() {
  static const CpuBackend instance;
  return instance;
}

// oneDNN fixes a primitive's number of threads when it is made: on this thread, after this. The threads have the priority
// of the rest of the process: at a lower one, all of them would wait at every barrier for the one that shares its core.
CpuDevice::CpuDevice(int index, int threads)
    : Device("cpu:" + std::to_string(index), std::make_shared<Queue>([index, threads] {
               // Inherited by those that share its loops; `top -H` shows it.
               pthread_setname_np(pthread_self(), ("alexnet cpu:" + std::to_string(index)).c_str());
               omp_set_num_threads(threads);
               letOthersRunFirst();
             })) {}

CpuDevice::~CpuDevice() { close(); }

std::shared_ptr<Buffer> CpuDevice::allocate(size_t bytes) {
  requireOpen("allocate");
  return std::make_shared<CpuBuffer>(this, CountedAllocation(bytes, id(), memory_), bytes);
}

void CpuDevice::upload(const Tensor& destination, const HostBytes& source) {
  copyBytes(destination.mutableData(), source.address, destination.bytes());
}

Device::Rest CpuDevice::download(const Tensor& source, const HostBytes& destination) {
  copyBytes(destination.address, source.data(), source.bytes());
  return {};
}

void CpuDevice::transfer(Transfer transfer) {
  if (!dynamic_cast<const CpuBuffer*>(transfer.destination.buffer.get())) {
    throw Error(kDevice, "Copy: " + id() + " copies to other CPU devices only. Read the tensor and write it instead.");
  }
  if (!exchange_) exchange_ = std::make_unique<Queue>([] {});
  exchange_->push([transfer = std::move(transfer)]() mutable {
    bool mayBegin = true;
    try {
      transfer.ready->wait();
      transfer.free->wait();
    } catch (const Error&) {
      mayBegin = false;  // a device has failed; dropping the promise tells those who wait for the copy
    }
    if (mayBegin) {
      std::memcpy(transfer.destination.mutableData(), transfer.source.data(), transfer.source.bytes());
    }
    // Before the announcement: who has waited for the copy may count on the return of their memory.
    transfer.source = transfer.destination = Tensor();
    if (mayBegin) transfer.done->announce(true);
  });
}

}  // namespace alexnet::cpu
