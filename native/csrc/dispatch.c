/*
 * Which kernels this machine can run, asked of the processor once.
 */
#include "kernel.h"

#if defined(HF_ARM) && defined(__linux__)
#include <sys/auxv.h>
#endif

#ifdef HF_X86
#include <cpuid.h>
static int has_shani(void) {
  unsigned a, b, c, d;
  if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("ssse3")) return 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  return b >> 29 & 1;
}
#endif

#ifdef HF_ARM
static int has_sha2(void) {
#if defined(__APPLE__)
  return 1; /* every Apple processor that runs arm64 has it */
#elif defined(__linux__)
  return getauxval(AT_HWCAP) >> 6 & 1; /* HWCAP_SHA2 */
#else
  return 0;
#endif
}
#endif

size_t hf_kernels(const hf_kernel *const **list) {
  static const hf_kernel *found[6];
  static size_t count;
  if (count == 0) {
    size_t n = 0;
#ifdef HF_X86
    __builtin_cpu_init();
    int avx512 = __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
    if (has_shani() && __builtin_cpu_supports("avx2") && avx512) found[n++] = &hf_shani_avx512;
    if (has_shani() && __builtin_cpu_supports("avx2")) found[n++] = &hf_shani;
    if (has_shani()) found[n++] = &hf_shani_sse;
    if (__builtin_cpu_supports("avx2")) found[n++] = &hf_avx2;
#endif
#ifdef HF_ARM
    if (has_sha2()) found[n++] = &hf_armv8;
#endif
    found[n++] = &hf_portable;
    count = n;
  }
  *list = found;
  return count;
}
