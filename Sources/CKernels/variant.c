#include "isomix_kernels.h"

const char *isomix_kernel_variant(void) {
#if defined(__x86_64__) && defined(__linux__)
  // The same feature bits, in the same order, as the resolvers of target_clones test.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
  return "default";
}
