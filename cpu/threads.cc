#include "threads.h"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cgroup.h"

namespace alexnet::cpu {

int cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return CPU_COUNT(&allowed);
  return omp_get_num_procs();
}

ThreadLimit threadLimit() {
  ThreadLimit limit{cores(), ""};
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (limit.threads < online) limit.by = "affinity";
  const auto atMost = [&limit](double threads, const char* by) {
    if (threads < limit.threads) limit = {std::max(1, static_cast<int>(threads)), by};
  };
  if (online > 0) atMost(static_cast<double>(online), "cores online");  // some containers limit these alone
  atMost(std::ceil(groupLimits().cores), "CPU quota");
  if (std::getenv("OMP_NUM_THREADS")) atMost(omp_get_max_threads(), "OMP_NUM_THREADS");
  atMost(omp_get_thread_limit(), "OMP_THREAD_LIMIT");
  if (omp_get_max_active_levels() < 1) atMost(1, "OMP_MAX_ACTIVE_LEVELS");
  return limit;
}

}  // namespace alexnet::cpu
