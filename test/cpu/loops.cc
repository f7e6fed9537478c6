// Loops that a team shares, with more threads than cores, from several threads at once: test/cpu/openmp.test.ts.
#include <omp.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

constexpr int kElements = 64;

// Threads of a loop that saw anything else than they should.
int mistakesIn(int rounds) {
  int mistakes = 0;
  for (int round = 0; round < rounds; ++round) {
    const int threads = 1 + round % 9;
    std::vector<int> own(kElements, -1), sums(kElements, -1), places(kElements, -1);
#pragma omp parallel num_threads(threads)
    {
      const int number = omp_get_thread_num();
      const int count = omp_get_num_threads();
      own[number] = number + round;
#pragma omp barrier
      int sum = 0;
      for (int i = 0; i < count; ++i) sum += own[i];
      sums[number] = sum;
      if (count > 1) {
#pragma omp parallel num_threads(4)
        if (omp_get_num_threads() != 1 || omp_get_thread_num() != 0) sums[number] = -1;
      }
      if (omp_get_thread_num() != number || omp_get_num_threads() != count) sums[number] = -1;
#pragma omp for schedule(static)
      for (int i = 0; i < kElements; ++i) places[i] = i;
    }
    int expected = 0;
    for (int i = 0; i < threads; ++i) expected += i + round;
    for (int i = 0; i < threads; ++i) mistakes += sums[i] != expected;
    for (int i = 0; i < kElements; ++i) mistakes += places[i] != i;
  }
  return mistakes;
}

}  // namespace

int main() {
  std::atomic<int> mistakes{0};
  for (int turn = 0; turn < 5; ++turn) {
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) callers.emplace_back([&] { mistakes += mistakesIn(45); });
    for (std::thread& caller : callers) caller.join();
  }
  mistakes += mistakesIn(360);
  std::printf("%d\n", mistakes.load());
}
