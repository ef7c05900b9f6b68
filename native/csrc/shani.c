/* The SHA-NI kernel for processors without AVX. */
#define HF_SHANI_TARGET "sha,sse4.1,ssse3"
#define HF_SHANI_NAME "shani-sse"
#define HF_SHANI_KERNEL hf_shani_sse
#define HF_SHANI_CLEAN (void)0
#define HF_SHANI_FR32 hf_fr32
#include "shani.inc"
