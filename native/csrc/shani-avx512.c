/* The SHA-NI kernel for processors with AVX-512, for its 32 registers; no vector is wider than 128 bits. */
#define HF_SHANI_TARGET "sha,avx512vl,avx512bw"
#define HF_SHANI_NAME "shani-avx512"
#define HF_SHANI_KERNEL hf_shani_avx512
#define HF_SHANI_CLEAN _mm256_zeroupper()
#define HF_SHANI_PIPELINE
#define HF_SHANI_FR32 hf_fr32_avx2
#include "shani.inc"
