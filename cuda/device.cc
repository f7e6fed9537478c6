#include "device.h"

#if __has_include(<nvtx3/nvToolsExt.h>)  // not in every toolkit
#include <nvtx3/nvToolsExt.h>
#define ALEXNET_NVTX
#endif

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "runtime/check.h"
#include "runtime/peers.h"
#include "runtime/pinned.h"
#include "runtime/release.h"

namespace alexnet::cuda {
namespace {

CudaBuffer& bufferOf(const Tensor& tensor) { return static_cast<CudaBuffer&>(*tensor.buffer); }

// Kernels cannot report bad values, so labels and crops are checked before the launch.
void requireLabels(const std::vector<int32_t>& labels, int64_t classes) {
  for (size_t n = 0; n < labels.size(); ++n) {
    if (labels[n] >= 0 && labels[n] < classes) continue;
    throw Error(kLabel, "label " + std::to_string(labels[n]) + " of picture " + std::to_string(n) +
                            " is not one of the classes 0 to " + std::to_string(classes - 1) + ".");
  }
}

void requireViews(const std::vector<float>& views, int64_t mostTop, int64_t mostLeft) {
  const auto within = [](float value, int64_t most) {
    return value >= 0 && value <= static_cast<float>(most) && value == static_cast<float>(static_cast<int64_t>(value));
  };
  for (size_t n = 0; n < views.size() / 6; ++n) {
    const float* const view = views.data() + 6 * n;
    if (within(view[0], mostTop) && within(view[1], mostLeft) && within(view[2], 1)) continue;
    throw Error(kArgument, "view " + std::to_string(n) + " is [" + std::to_string(view[0]) + ", " +
                               std::to_string(view[1]) + ", " + std::to_string(view[2]) +
                               ", ...], expected integers: top 0 to " + std::to_string(mostTop) + ", left 0 to " +
                               std::to_string(mostLeft) + ", mirrored 0 or 1.");
  }
}

}  // namespace

CudaDevice::CudaDevice(int gpu)
    : Device("cuda:" + std::to_string(gpu), std::make_shared<Queue>([] {})),
      owner_{gpu, id(), memory_},
      context_(std::make_shared<GpuContext>(owner_)),
      hasTensorCores_(context_->limits().tensorCores),
      events_(std::make_shared<EventPool>(gpu, cudaEventDisableTiming)),
      stamps_(std::make_shared<EventPool>(gpu, cudaEventDefault)),
      notes_(connectPeers(gpu)) {}

std::vector<std::string> CudaDevice::notes() const {
  const std::lock_guard<std::mutex> lock(notesMutex_);
  return notes_;
}

CudaDevice::~CudaDevice() { CudaDevice::close(); }

void CudaDevice::close() {
  Device::close();
  if (context_) releaseLater([context = std::move(context_)]() mutable { context.reset(); });
}

std::shared_ptr<Buffer> CudaDevice::allocate(size_t bytes) {
  requireOpen("allocate");
  return std::make_shared<CudaBuffer>(this, owner_, bytes);
}

std::shared_ptr<HostMemory> CudaDevice::allocateHost(size_t bytes) {
  requireOpen("allocateHost");
  return allocatePinned(owner_.gpu, bytes);
}

int64_t CudaDevice::freeBytes() const {
  releaseNow();
  return static_cast<int64_t>(freeMemory(owner_.gpu));
}

size_t CudaDevice::needOf(const std::vector<size_t>& tensors, size_t recorded) const {
  requireOpen("needOf");
  const bool isReserved = tensors.empty() || reserved_ > 0;
  const size_t graphs = wantsGraphs() ? recorded * kGraphBytesPerLayer : 0;
  return footprint(tensors) + graphs + (isReserved ? 0 : footprint({context_->mostScratch()}));
}

void CudaDevice::reserve(const std::vector<size_t>& tensors) {
  for (const size_t tensor : tensors) reserved_ = std::max<size_t>(reserved_, tensor);
  submit("reserve", [this, largest = reserved_.load()] { ready().reserve(largest); });
}

#ifdef ALEXNET_NVTX
void CudaDevice::enter(const char* operation) { nvtxRangePushA(operation); }
void CudaDevice::leave() { nvtxRangePop(); }
#else
void CudaDevice::enter(const char*) {}
void CudaDevice::leave() {}
#endif

GpuContext& CudaDevice::ready() {
  context_->select();
  return *context_;
}

void CudaDevice::upload(const Tensor& destination, const HostBytes& source) {
  uploadOn(ready().stream(), destination, source);
}

void CudaDevice::uploadBeside(const Tensor& destination, const HostBytes& source, Event* after, Event& done) {
  GpuContext& context = ready();
  const cudaStream_t uploads = context.streams().uploads();
  try {
    if (after) makeWait(uploads, *after);
  } catch (const Error&) {  // who was to announce it has failed, and may have launched what reads the destination
    CudaEvent launched(events_);
    launched.record(context.stream());
    launched.makeWait(context.streams(), uploads);
  }
  uploadOn(uploads, destination, source);
  static_cast<CudaEvent&>(done).record(uploads);
}

void CudaDevice::uploadOn(cudaStream_t stream, const Tensor& destination, const HostBytes& source) {
  const size_t bytes = destination.bytes();
  if (source.memory) {
    check(cudaMemcpyAsync(destination.mutableData(), source.address, bytes, cudaMemcpyHostToDevice, stream),
          "cudaMemcpyAsync (host to device)");
  } else {
    context_->staging().upload(destination.mutableData(), source.address, bytes, stream);
  }
  bufferOf(destination).remember(destination.offset, source.address, bytes);
}

Device::Rest CudaDevice::download(const Tensor& source, const HostBytes& destination) {
  GpuContext& context = ready();
  if (!destination.memory) {
    context.staging().download(destination.address, source.data(), source.bytes());
    return {};
  }
  check(cudaMemcpyAsync(destination.address, source.data(), source.bytes(), cudaMemcpyDeviceToHost, context.stream()),
        "cudaMemcpyAsync (device to host)");
  const auto ended = std::make_shared<CudaEvent>(events_);
  ended->record(context.stream());
  return [&context, ended] {
    context.select();
    ended->wait(context.streams());
  };
}

void CudaDevice::finish() {
  const GpuContext& context = ready();
  context.streams().finish(context.stream());
}

void CudaDevice::signal(Event& event) { static_cast<CudaEvent&>(event).record(ready().stream()); }

void CudaDevice::await(Event& event) { makeWait(ready().stream(), event); }

void CudaDevice::makeWait(cudaStream_t stream, Event& event) {
  if (auto* const own = dynamic_cast<CudaEvent*>(&event)) {
    own->makeWait(context_->streams(), stream);
  } else {
    event.wait();
  }
}

double CudaDevice::between(Event& begin, Event& end) {
  return static_cast<CudaEvent&>(end).millisecondsSince(static_cast<CudaEvent&>(begin), ready().streams());
}

void CudaDevice::transfer(Transfer transfer) {
  if (!dynamic_cast<const CudaBuffer*>(transfer.destination.buffer.get())) {
    throw Error(kDevice, "Copy: " + id() + " copies to other CUDA devices only. Read the tensor and write it instead.");
  }
  submit(Copy::name, [this, transfer = std::move(transfer)] {
    Streams& streams = ready().streams();
    const int otherGpu = bufferOf(transfer.destination).gpu;
    for (const auto& event : {transfer.ready, transfer.free}) {
      static_cast<CudaEvent&>(*event).makeWait(streams, streams.exchange());
    }
    void* const destination = transfer.destination.mutableData();
    const size_t bytes = transfer.source.bytes();
    if (otherGpu == owner_.gpu) {
      check(cudaMemcpyAsync(destination, transfer.source.data(), bytes, cudaMemcpyDeviceToDevice, streams.exchange()),
            "cudaMemcpyAsync (device to device)");
    } else {
      check(cudaMemcpyPeerAsync(destination, otherGpu, transfer.source.data(), owner_.gpu, bytes, streams.exchange()),
            "cudaMemcpyPeerAsync");
    }
    static_cast<CudaEvent&>(*transfer.done).record(streams.exchange());
  });
}

void CudaDevice::launch(const AnyOperation& operation, uint32_t step) {
  if (const auto* const one = std::get_if<Augment>(&operation)) return augment(*one, ready());
  if (const auto* const one = std::get_if<SoftmaxLoss>(&operation)) return softmaxLoss(*one, ready());
  runAtStep(operation, step);
}

bool CudaDevice::launchGraph(Segment& segment, uint32_t step) {
  auto& graph = static_cast<SegmentGraph&>(*segment.compiled);
  GpuContext& context = ready();
  try {
    if (!graph.isCurrent(context)) {
      graph.capture(segment, step, owner_.gpu, context, [&](const AnyOperation& one) { launch(one, step); });
    }
    if (graph.isRefused()) return false;
    graph.launch(step, context);
    return true;
  } catch (const ScratchTooSmall&) {
    return false;  // the launches make it grow
  } catch (const Error& error) {
    if (isLost(owner_.gpu)) throw;
    graph.refuse();
    const std::lock_guard<std::mutex> lock(notesMutex_);
    const std::string note = id() + " launches operations one by one instead of as a CUDA graph: ";
    notes_.push_back(note + error.what() + " ALEXNET_GRAPH=0 keeps it from being tried.");
    return false;
  }
}

bool CudaDevice::replayAtOnce(Segment& segment, uint32_t step) {
  if (!wantsGraphs()) return false;
  if (!segment.compiled) {
    segment.compiled = std::make_unique<SegmentGraph>();
    return false;
  }
  if (static_cast<SegmentGraph&>(*segment.compiled).isRefused()) return false;
  const auto isSound = [this](const auto& operation) {
    using Operation = std::decay_t<decltype(operation)>;
    if constexpr (std::is_same_v<Operation, Augment> || std::is_same_v<Operation, SoftmaxLoss>) {
      return attempt(Operation::name, [&] { verify(operation); });
    } else {
      return true;
    }
  };
  for (const AnyOperation& operation : segment.operations) {
    if (!std::visit(isSound, operation)) return true;
  }
  bool isLaunched = false;
  return !attempt("replay", [&] { isLaunched = launchGraph(segment, step); }) || isLaunched;
}

template <class T>
std::vector<T> CudaDevice::hostCopy(const Tensor& tensor) {
  std::vector<T> values(static_cast<size_t>(tensor.elements()));
  tensor.data();  // throws for an outline
  if (const void* const known = bufferOf(tensor).remembered(tensor.offset, tensor.bytes())) {
    std::memcpy(values.data(), known, tensor.bytes());
  } else {
    ready().staging().download(values.data(), tensor.data(), tensor.bytes());
  }
  return values;
}

void CudaDevice::verify(const Augment& operation) {
  requireViews(hostCopy<float>(operation.views), operation.images.dimension(1) - operation.output.dimension(1),
               operation.images.dimension(2) - operation.output.dimension(2));
}

void CudaDevice::verify(const SoftmaxLoss& operation) {
  requireLabels(hostCopy<int32_t>(operation.labels), operation.logits.dimension(1));
}

void CudaDevice::run(const Augment& operation) {
  verify(operation);
  augment(operation, ready());
}

void CudaDevice::run(const SoftmaxLoss& operation) {
  verify(operation);
  softmaxLoss(operation, ready());
}

void CudaDevice::run(const Cast& operation) {
  if (operation.input.type == operation.output.type) return run(Copy{operation.input, operation.output});
  cast(operation, ready());
}

void CudaDevice::run(const Copy& operation) {
  GpuContext& context = ready();
  const auto copyBytes = [&](void* destination, const void* source) {
    check(cudaMemcpyAsync(destination, source, operation.input.bytes(), cudaMemcpyDeviceToDevice, context.stream()),
          "cudaMemcpyAsync (device to device)");
  };
  const auto from = reinterpret_cast<uintptr_t>(operation.input.data());
  void* const destination = operation.output.mutableData();
  const auto to = reinterpret_cast<uintptr_t>(destination);
  if (from + operation.input.bytes() <= to || to + operation.input.bytes() <= from) {
    return copyBytes(destination, operation.input.data());
  }
  void* const between = context.scratch(operation.input.bytes());  // cudaMemcpy does not take overlapping memory
  copyBytes(between, operation.input.data());
  copyBytes(destination, between);
}

}  // namespace alexnet::cuda
