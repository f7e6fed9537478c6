// Preloaded: SHOWN cores are shown, as allowed and as online, however few there are.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static int show(size_t size, cpu_set_t* set) {
  CPU_ZERO_S(size, set);
  for (int core = 0; core < SHOWN; ++core) CPU_SET_S(core, size, set);
  return 0;
}

int sched_getaffinity(pid_t process, size_t size, cpu_set_t* set) {
  (void)process;
  return show(size, set);
}

int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t* set) {
  (void)thread;
  return show(size, set);
}

long sysconf(int name) {
  static long (*real)(int);
  if (name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF) return SHOWN;
  if (!real) real = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
  return real(name);
}
