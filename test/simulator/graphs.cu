// A few kernels on two GPUs as one graph, which is replayed three times, and what can be done wrong with it:
//   graphs <variant>
// prints "right" or "wrong", or the error that the runtime answered.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 64, kBlocks = 4, kCount = kThreads * kBlocks;

__device__ int place() { return static_cast<int>(blockIdx.x * kThreads + threadIdx.x); }
__global__ void produceKernel(const int* step, int* x) { x[place()] = *step * place(); }
__global__ void squareKernel(const int* x, int* squares) { squares[place()] = x[place()] * x[place()]; }
__global__ void doubleKernel(const int* y, int* doubles) { doubles[place()] = 2 * y[place()]; }
__global__ void addKernel(const int* squares, const int* doubles, int* sums) {
  sums[place()] = squares[place()] + doubles[place()];
}

std::string variant;
bool is(const char* name) { return variant == name; }

[[noreturn]] void end(const std::string& text, int status) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  std::_Exit(status);
}

void check(cudaError_t status) {
  if (status != cudaSuccess) end(std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status), 1);
}

int* onDevice(int device, size_t count) {
  void* result = nullptr;
  check(cudaSetDevice(device));
  check(cudaMalloc(&result, count * sizeof(int)));
  return static_cast<int*>(result);
}

cudaStream_t makeStream(int device) {
  cudaStream_t stream = nullptr;
  check(cudaSetDevice(device));
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}

cudaEvent_t makeEvent(int device) {
  cudaEvent_t event = nullptr;
  check(cudaSetDevice(device));
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  return event;
}

struct Work {
  int *step = onDevice(0, 1), *otherStep = onDevice(0, 1), *x = onDevice(0, kCount), *squares = onDevice(0, kCount),
      *sums = onDevice(0, kCount);
  int *y = onDevice(1, kCount), *doubles = onDevice(1, kCount);
  cudaStream_t first = makeStream(0), second = makeStream(1), other = makeStream(0);
  cudaEvent_t begun = makeEvent(0), ready = makeEvent(0), done = makeEvent(1), outside = makeEvent(0);
};

// What the stream of a capture was given last.
cudaGraphNode_t lastOf(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  const cudaGraphNode_t* nodes = nullptr;
  size_t count = 0;
  check(cudaStreamGetCaptureInfo(stream, &status, nullptr, nullptr, &nodes, nullptr, &count));
  if (status != cudaStreamCaptureStatusActive || count != 1) end("no single node was captured last", 2);
  return nodes[0];
}

// Of the kernel that produces, and of the copy; of another capture's kernel.
cudaGraphNode_t produceNode = nullptr, copyNode = nullptr, foreignNode = nullptr;

void captureAnother(const Work& work) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(work.other, cudaStreamCaptureModeThreadLocal));
  squareKernel<<<kBlocks, kThreads, 0, work.other>>>(work.x, work.squares);
  foreignNode = lastOf(work.other);
  check(cudaStreamEndCapture(work.other, &graph));  // never destroyed
}

void setStep(cudaGraphExec_t graph, cudaGraphNode_t node, const int* step, int* x) {
  void* arguments[] = {&step, &x};
  cudaKernelNodeParams params{};
  params.func = reinterpret_cast<void*>(produceKernel);
  params.gridDim = dim3(kBlocks);
  params.blockDim = dim3(kThreads);
  params.kernelParams = arguments;
  check(cudaGraphExecKernelNodeSetParams(graph, node, &params));
}

// Makes the second GPU's half depend on an event of the first, and the other way round.
void capture(const Work& work) {
  check(cudaEventRecord(work.outside, work.first));
  const bool global = is("another thread allocates beside a global capture");
  check(cudaStreamBeginCapture(work.first, global ? cudaStreamCaptureModeGlobal : cudaStreamCaptureModeThreadLocal));
  if (is("begins twice")) check(cudaStreamBeginCapture(work.first, cudaStreamCaptureModeThreadLocal));
  check(cudaEventRecord(work.begun, work.first));
  produceKernel<<<kBlocks, kThreads, 0, work.first>>>(work.step, work.x);
  produceNode = lastOf(work.first);
  check(cudaEventRecord(work.ready, work.first));
  if (is("allocates")) check(cudaFree(onDevice(0, 1)));
  if (global || is("another thread allocates")) std::thread([] { check(cudaFree(onDevice(0, 1))); }).join();
  if (is("the default stream waits")) check(cudaStreamWaitEvent(nullptr, work.ready, 0));
  if (is("merges captures")) {
    check(cudaStreamBeginCapture(work.other, cudaStreamCaptureModeThreadLocal));
    check(cudaStreamWaitEvent(work.other, work.ready, 0));
  }
  if (is("synchronizes")) check(cudaStreamSynchronize(work.first));
  if (is("goes on after an error")) {
    cudaStreamSynchronize(work.first);
    squareKernel<<<kBlocks, kThreads, 0, work.first>>>(work.x, work.squares);
    if (cudaGetLastError() != cudaErrorStreamCaptureInvalidated) end("captured though it is of no use", 2);
    return;
  }
  if (is("asks for an event")) check(cudaEventQuery(work.outside));
  if (is("asks for its event")) check(cudaEventQuery(work.ready));
  if (is("waits for an event of before")) check(cudaStreamWaitEvent(work.first, work.outside, 0));
  if (is("copies to the host")) {
    int x = 0;
    check(cudaMemcpyAsync(&x, work.x, sizeof(x), cudaMemcpyDeviceToHost, work.first));
  }
  check(cudaSetDevice(1));
  check(cudaStreamWaitEvent(work.second, is("copies too early") ? work.begun : work.ready, 0));
  check(cudaMemcpyPeerAsync(work.y, 1, work.x, 0, kCount * sizeof(int), work.second));
  copyNode = lastOf(work.second);
  doubleKernel<<<kBlocks, kThreads, 0, work.second>>>(work.y, work.doubles);
  check(cudaEventRecord(work.done, work.second));
  check(cudaSetDevice(0));
  squareKernel<<<kBlocks, kThreads, 0, work.first>>>(work.x, work.squares);
  if (is("adds too early")) addKernel<<<kBlocks, kThreads, 0, work.first>>>(work.squares, work.doubles, work.sums);
  if (!is("does not join")) check(cudaStreamWaitEvent(work.first, work.done, 0));
  addKernel<<<kBlocks, kThreads, 0, work.first>>>(work.squares, work.doubles, work.sums);
}

// That the captured streams work as before.
void useStreams(const Work& work) {
  for (const cudaStream_t stream : {work.first, work.second}) {
    check(cudaSetDevice(stream == work.first ? 0 : 1));
    cudaEvent_t event = makeEvent(stream == work.first ? 0 : 1);
    check(cudaEventRecord(event, stream));
    check(cudaEventSynchronize(event));
  }
}

bool replay(const Work& work, cudaGraphExec_t graph, int step) {
  const bool changes = is("changes arguments");
  int* const place = changes && step % 2 == 0 ? work.otherStep : work.step;
  check(cudaMemcpyAsync(place, &step, sizeof(step), cudaMemcpyHostToDevice, work.first));
  if (changes) setStep(graph, produceNode, place, work.x);
  check(cudaGraphLaunch(graph, work.first));
  if (changes) setStep(graph, produceNode, nullptr, nullptr);  // what is launched keeps its own
  if (is("another stream writes")) squareKernel<<<kBlocks, kThreads, 0, work.other>>>(work.sums, work.x);
  std::vector<int> sums(kCount);
  const cudaStream_t reader = is("another stream reads") ? work.other : work.first;
  check(cudaMemcpyAsync(sums.data(), work.sums, kCount * sizeof(int), cudaMemcpyDeviceToHost, reader));
  for (const cudaStream_t stream : {reader, work.first, work.other}) check(cudaStreamSynchronize(stream));
  for (int i = 0; i < kCount; ++i) {
    const int x = step * i;
    if (sums[static_cast<size_t>(i)] != x * x + 2 * x) return false;
  }
  return true;
}

}  // namespace

int main(int, char** options) {
  variant = options[1];
  check(cudaSetDevice(0));
  check(cudaDeviceEnablePeerAccess(1, 0));
  const Work work;
  check(cudaSetDevice(0));
  capture(work);
  cudaGraph_t graph = nullptr;
  cudaError_t ended = cudaErrorUnknown;
  const auto finish = [&] {
    ended = cudaStreamEndCapture(is("ends on another stream") ? work.second : work.first, &graph);
  };
  if (is("another thread ends it")) {
    std::thread(finish).join();
  } else {
    finish();
  }
  if (ended != cudaSuccess) {
    const std::string text = std::string(cudaGetErrorName(ended)) + ": " + cudaGetErrorString(ended);
    if (!is("ends on another stream") && !is("another thread ends it")) useStreams(work);
    end(text, 1);
  }
  if (is("waits for an event of the capture")) check(cudaStreamWaitEvent(work.other, work.done, 0));
  size_t nodes = 0;
  check(cudaGraphGetNodes(graph, nullptr, &nodes));
  cudaGraphExec_t instance = nullptr;
  check(cudaGraphInstantiate(&instance, graph, 0));
  const bool names = is("changes arguments") || is("changes a copy") || is("changes a node of another graph");
  if (!names) check(cudaGraphDestroy(graph));
  if (is("changes a copy")) setStep(instance, copyNode, work.step, work.x);
  if (is("changes a node of a graph that is gone")) setStep(instance, produceNode, work.step, work.x);
  if (is("changes a node of another graph")) {
    captureAnother(work);
    setStep(instance, foreignNode, work.step, work.x);
  }
  if (is("frees memory")) check(cudaFree(work.squares));
  bool right = nodes == 5;
  for (int step = 1; step <= 3; ++step) right = replay(work, instance, step) && right;
  useStreams(work);
  check(cudaGraphExecDestroy(instance));
  end(right ? "right" : "wrong", 0);
}
