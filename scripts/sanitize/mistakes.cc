// An addon of mistakes, one function each, and of what looks like one and is none. run.cjs calls them before every run:
// the mistakes must be reported, or no report on core/, cpu/ and binding/ would mean anything.
#include <node_api.h>

#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

namespace {

int* volatile escape;  // what is assigned to it is not optimized away

void outOfBounds() {
  escape = new int[4]();
  escape[4] = 1;
}

void useAfterFree() {
  int* const numbers = new int[4]();
  std::thread([numbers] { delete[] numbers; }).join();
  escape = numbers;
  escape[0] = 1;
}

void undefined() {
  const volatile int largest = std::numeric_limits<int>::max();
  escape = new int(largest + 1);
}

void leak() {
  escape = new int[4]();
  escape = nullptr;
}

void race() {
  int count = 0;
  std::thread other([&] { ++count; });
  ++count;
  other.join();
}

// Two threads of a parallel section write the same number.
void raceInSection() {
  int count = 0;
#pragma omp parallel for schedule(static) num_threads(2)
  for (int i = 0; i < 2; ++i) ++count;
  escape = new int(count);
}

// No mistake: what a section computes is used after it, and memory that it used is used again by the next.
void sections() {
  int numbers[2] = {0, 0};
  for (int round = 0; round < 100; ++round) {
    numbers[0] += numbers[1];
#pragma omp parallel for schedule(static) num_threads(2)
    for (int i = 0; i < 2; ++i) numbers[i] += round;
  }
  delete new int(numbers[0]);
}

// No mistake: a number is handed over under a lock.
void handOver() {
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  int number = 0;
  std::thread other([&] {
    number = 1;
    const std::lock_guard<std::mutex> lock(mutex);
    ready = true;
    changed.notify_one();
  });
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return ready; });
  }
  ++number;
  other.join();
}

template <void (*kFunction)()>
napi_value call(napi_env, napi_callback_info) {
  kFunction();
  return nullptr;
}

template <void (*kFunction)()>
void add(napi_env env, napi_value exports, const char* name) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call<kFunction>, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

napi_value initialize(napi_env env, napi_value exports) {
  add<outOfBounds>(env, exports, "outOfBounds");
  add<useAfterFree>(env, exports, "useAfterFree");
  add<undefined>(env, exports, "undefined");
  add<leak>(env, exports, "leak");
  add<race>(env, exports, "race");
  add<raceInSection>(env, exports, "raceInSection");
  add<sections>(env, exports, "sections");
  add<handOver>(env, exports, "handOver");
  return exports;
}

}  // namespace

NAPI_MODULE(mistakes, initialize)
