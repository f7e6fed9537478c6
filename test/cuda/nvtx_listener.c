// A tool for NVTX, as Nsight's are: the library that NVTX_INJECTION64_PATH names. Prints where ranges begin and end.
#include <nvtx3/nvToolsExt.h>
#include <stdio.h>

static int pushed(const char* name) {
  fprintf(stderr, "nvtx: %s {\n", name);
  return 0;
}
static int popped(void) {
  fprintf(stderr, "nvtx: }\n");
  return 0;
}

__attribute__((visibility("default"))) int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t tables) {
  const NvtxExportTableCallbacks* callbacks = (const NvtxExportTableCallbacks*)tables(NVTX_ETID_CALLBACKS);
  NvtxFunctionTable table;
  unsigned size;
  if (!callbacks || !callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &table, &size)) return 0;
  *table[NVTX_CBID_CORE_RangePushA] = (NvtxFunctionPointer)pushed;
  *table[NVTX_CBID_CORE_RangePop] = (NvtxFunctionPointer)popped;
  return 1;
}
