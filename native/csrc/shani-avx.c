/* The SHA-NI kernel for processors with AVX2. */
#define HF_SHANI_TARGET "sha,avx"
#define HF_SHANI_NAME "shani"
#define HF_SHANI_KERNEL hf_shani
#define HF_SHANI_CLEAN _mm256_zeroupper()
#define HF_SHANI_FR32 hf_fr32_avx2
#include "shani.inc"
