// The OpenMP runtime of the CPU device: threads that share a loop, for this addon and for oneDNN, whose calls the dynamic
// linker brings here (binding/exports.map) instead of to GCC's library. That one waits either by spinning, and then
// whoever needs the processor too costs a team many times its share (all wait for the thread that was displaced, on
// cores that it could have had), or by sleeping, and then each of the twenty loops of a picture waits for the kernel to
// wake its threads. This one spins while nobody else wants the cores and sleeps while somebody does.
//
// It has what GCC makes of `parallel`, `for schedule(static)` and `barrier`; loops in loops run on one thread.
#include <linux/futex.h>
#include <omp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "../core/error.h"
#include "threads.h"

namespace alexnet::cpu {
namespace {

using std::chrono::steady_clock;

// How long a thread spins before it sleeps: longer than what lies between two loops of one picture, or two pictures.
constexpr std::chrono::milliseconds kSpin{2};
// How long nobody spins after a thread was displaced: twice as long each time that it happens soon again.
constexpr std::chrono::milliseconds kCrowdedAtFirst{5};
constexpr std::chrono::milliseconds kCrowdedAtMost{100};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whether others want the cores of a team's threads, as these find out: one that kept the rest waiting for longer than
// they would spin, and was taken off its core meanwhile.
class Crowd {
 public:
  bool isThere(steady_clock::time_point now) const { return now < until_.load(std::memory_order_relaxed); }

  // Called by a thread that the rest have been waiting for.
  void look() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    thread_local long before = 0;
    if (usage.ru_nivcsw == before) return;
    before = usage.ru_nivcsw;
    const auto now = steady_clock::now();
    const bool isSoon = now - until_.load(std::memory_order_relaxed) < kCrowdedAtMost;
    const auto length =
        isSoon ? std::min(2 * length_.load(std::memory_order_relaxed), kCrowdedAtMost) : kCrowdedAtFirst;
    length_.store(length, std::memory_order_relaxed);
    until_.store(now + length, std::memory_order_relaxed);
  }

 private:
  std::atomic<steady_clock::time_point> until_{steady_clock::time_point{}};
  std::atomic<std::chrono::milliseconds> length_{kCrowdedAtFirst};
};

// A number that one thread changes and others wait for.
class Signal {
 public:
  uint32_t value() const { return value_.load(std::memory_order_acquire); }
  // Whether somebody sleeps who has been waiting for longer than one spins, and since the given time.
  bool isLate(steady_clock::time_point since = {}) const {
    const auto begin = since_.load(std::memory_order_relaxed);
    return sleepers_.load() != 0 && begin >= since && steady_clock::now() - begin >= kSpin;
  }

  void set(uint32_t value) {
    // In this order here, and in the other order where they sleep: one of both notices the other.
    value_.store(value);
    if (sleepers_.load() != 0) futex(FUTEX_WAKE_PRIVATE, INT_MAX);
  }

  void waitWhile(uint32_t value, const Crowd& crowd) {
    const auto begin = steady_clock::now();
    if (spinWhile(value, crowd, begin)) return;
    since_.store(begin, std::memory_order_relaxed);
    ++sleepers_;
    while (this->value() == value) futex(FUTEX_WAIT_PRIVATE, value);
    --sleepers_;
  }

 private:
  bool spinWhile(uint32_t value, const Crowd& crowd, steady_clock::time_point begin) const {
    if (crowd.isThere(begin)) return this->value() != value;
    do {
      for (int turn = 0; turn < 64; ++turn) {
        relax();
        if (this->value() != value) return true;
      }
    } while (steady_clock::now() - begin < kSpin);
    return false;
  }

  void futex(int operation, uint32_t value) { syscall(SYS_futex, &value_, operation, value, nullptr, nullptr, 0); }

  std::atomic<uint32_t> value_{0};
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<steady_clock::time_point> since_{};  // when the last to fall asleep began to wait
};

class Team;

// Of a thread in the loop that it runs.
struct Place {
  Team* team = nullptr;
  unsigned number = 0;
  unsigned threads = 1;
};
thread_local Place place;

// The threads that a thread shares its loops with. They are started where they are first needed and end with it.
class Team {
 public:
  using Body = void (*)(void*);

  Team() = default;
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() {
    body_ = nullptr;
    for (const auto& worker : workers_) worker->turn.set(++worker->turns);
    for (const auto& worker : workers_) worker->thread.join();
  }

  void run(Body body, void* data, unsigned threads) {
    grow(threads - 1);
    body_ = body;
    data_ = data;
    threads_ = threads;
    working_ = threads - 1;
    const uint32_t before = done_.value();
    const auto begin = steady_clock::now();
    const auto end = workers_.begin() + (threads - 1);
    std::for_each(workers_.begin(), end, [](const auto& worker) { worker->turn.set(++worker->turns); });
    work(0);
    // Workers that have not even begun are not kept waiting by this thread.
    if (std::any_of(workers_.begin(), end, [&](const auto& worker) { return worker->turn.isLate(begin); }))
      crowd_.look();
    done_.waitWhile(before, crowd_);
  }

  void barrier() {
    const uint32_t before = passed_.value();
    if (++waiting_ < threads_) return passed_.waitWhile(before, crowd_);
    waiting_ = 0;
    if (passed_.isLate()) crowd_.look();
    passed_.set(before + 1);
  }

 private:
  struct alignas(64) Worker {
    Signal turn;
    uint32_t turns = 0;  // as many as the team gave it
    std::thread thread;
  };

  void grow(size_t workers) {
    while (workers_.size() < workers) {
      auto worker = std::make_unique<Worker>();
      const auto number = static_cast<unsigned>(workers_.size() + 1);
      try {
        worker->thread = std::thread([this, number, &turn = worker->turn] { loop(number, turn); });
      } catch (const std::system_error& error) {
        throw Error(kDevice, "Thread " + std::to_string(number + 1) + " of " + std::to_string(workers + 1) +
                                 " that compute cannot be started: " + error.what() +
                                 ". Give the device fewer (the option threads, --threads).");
      }
      workers_.push_back(std::move(worker));
    }
  }

  void loop(unsigned number, Signal& turn) {
    for (uint32_t turns = 0;; ++turns) {
      turn.waitWhile(turns, crowd_);
      if (!body_) return;
      work(number);
      if (--working_ != 0) continue;
      if (done_.isLate()) crowd_.look();
      done_.set(done_.value() + 1);
    }
  }

  void work(unsigned number) noexcept {
    place = {this, number, threads_};
    body_(data_);
    place = {};
  }

  Crowd crowd_;
  // Written between loops alone, before the workers have their turn.
  Body body_ = nullptr;
  void* data_ = nullptr;
  unsigned threads_ = 0;
  std::atomic<unsigned> working_{0};  // workers that have not finished
  Signal done_;                       // counts loops that all workers have finished
  std::atomic<unsigned> waiting_{0};  // threads at the barrier
  Signal passed_;                     // counts barriers
  std::vector<std::unique_ptr<Worker>> workers_;
};

// As OpenMP's environment says it, "4" or "4,2" (for loops in loops).
int defaultThreads() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  const long asked = text ? std::strtol(text, nullptr, 10) : 0;
  return asked > 0 ? static_cast<int>(std::min(asked, long{INT_MAX})) : cores();
}

int& mostThreads() {
  thread_local int most = defaultThreads();
  return most;
}

void runAlone(Team::Body body, void* data) {
  const Place outer = place;
  place = {};
  body(data);
  place = outer;
}

}  // namespace
}  // namespace alexnet::cpu

// The names and meanings are those of GCC's OpenMP library.
#pragma GCC visibility push(default)
extern "C" {

using namespace alexnet::cpu;

void GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned /*flags*/) {
  if (threads == 0) threads = static_cast<unsigned>(mostThreads());
  if (threads == 1 || omp_in_parallel()) return runAlone(body, data);
  thread_local Team team;
  team.run(body, data, threads);
}

void GOMP_barrier() {
  if (place.team) place.team->barrier();
}

int omp_get_thread_num() noexcept { return static_cast<int>(place.number); }
int omp_get_num_threads() noexcept { return static_cast<int>(place.threads); }
int omp_get_max_threads() noexcept { return mostThreads(); }
int omp_in_parallel() noexcept { return place.team ? 1 : 0; }
void omp_set_num_threads(int threads) noexcept { mostThreads() = threads; }

}  // extern "C"
#pragma GCC visibility pop
