// Stands in for NVIDIA's driver library in tests: supports CUDA up to DRIVER_VERSION (12040 means 12.4) and has no GPU.
#include <stdlib.h>
#include <string.h>

enum { kSuccess = 0, kNoDevice = 100, kUnknown = 999 };

int cuDriverGetVersion(int* version) {
  *version = atoi(getenv("DRIVER_VERSION"));
  return kSuccess;
}

int cuInit(unsigned flags) {
  (void)flags;
  return kNoDevice;
}

static int notHere(void) { return kUnknown; }

int cuGetProcAddress_v2(const char* name, void** function, int version, unsigned long long flags, int* found) {
  (void)version, (void)flags;
  if (found) *found = 0;
  if (strcmp(name, "cuDriverGetVersion") == 0) {
    *function = (void*)cuDriverGetVersion;
  } else if (strcmp(name, "cuInit") == 0) {
    *function = (void*)cuInit;
  } else if (strncmp(name, "cuGetProcAddress", 16) == 0) {
    *function = (void*)cuGetProcAddress_v2;
  } else {
    *function = (void*)notHere;
  }
  return kSuccess;
}
