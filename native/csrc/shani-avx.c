/* The SHA-NI kernel for processors with AVX. */
#define HF_SHANI_TARGET "sha,avx"
#define HF_SHANI_NAME "shani"
#define HF_SHANI_KERNEL hf_shani
#define HF_SHANI_CLEAN _mm256_zeroupper()
#include "shani.inc"
