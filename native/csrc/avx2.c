/*
 * SHA-256 of eight messages at once in 256-bit registers, for x86 processors without SHA
 * instructions: word t of message l sits in lane l of vector t. What is left over after groups of
 * eight goes through the portable kernel.
 */
#include "kernel.h"

#ifdef HF_X86
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLL _Pragma("GCC unroll 16")
#define LANES 8

typedef __m256i v8;

INLINE v8 add(v8 a, v8 b) { return _mm256_add_epi32(a, b); }
INLINE v8 xor3(v8 a, v8 b, v8 c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }
#define ROTR(x, n) _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - (n)))

/* Rows in, columns out: r[i] lane j becomes r[j] lane i. */
INLINE void transpose(v8 r[8]) {
  v8 a[8], b[8];
  UNROLL for (int i = 0; i < 4; i++) {
    a[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    a[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
  UNROLL for (int i = 0; i < 2; i++) {
    b[4 * i] = _mm256_unpacklo_epi64(a[4 * i], a[4 * i + 2]);
    b[4 * i + 1] = _mm256_unpackhi_epi64(a[4 * i], a[4 * i + 2]);
    b[4 * i + 2] = _mm256_unpacklo_epi64(a[4 * i + 1], a[4 * i + 3]);
    b[4 * i + 3] = _mm256_unpackhi_epi64(a[4 * i + 1], a[4 * i + 3]);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    r[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x20);
    r[i + 4] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
  }
}

INLINE v8 swap(v8 x) {
  const v8 order = _mm256_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15,
                                   8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  return _mm256_shuffle_epi8(x, order);
}

INLINE void round_of(v8 s[8], v8 kw) {
  v8 s1 = xor3(ROTR(s[4], 6), ROTR(s[4], 11), ROTR(s[4], 25));
  v8 ch = _mm256_xor_si256(s[6], _mm256_and_si256(s[4], _mm256_xor_si256(s[5], s[6])));
  v8 t1 = add(add(s[7], s1), add(ch, kw));
  v8 s0 = xor3(ROTR(s[0], 2), ROTR(s[0], 13), ROTR(s[0], 22));
  v8 maj = _mm256_or_si256(_mm256_and_si256(s[0], s[1]), _mm256_and_si256(s[2], _mm256_or_si256(s[0], s[1])));
  s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = add(s[3], t1);
  s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = add(t1, add(s0, maj));
}

TARGET static void block(v8 state[8], const uint8_t *in, size_t stride) {
  v8 w[16], s[8];
  UNROLL for (int half = 0; half < 2; half++) {
    UNROLL for (int l = 0; l < LANES; l++) {
      w[8 * half + l] = swap(_mm256_loadu_si256((const v8 *)(in + (size_t)l * stride + 32 * half)));
    }
    transpose(w + 8 * half);
  }
  for (int i = 0; i < 8; i++) s[i] = state[i];
  for (int t = 0; t < 64; t += 16) {
    UNROLL for (int i = 0; i < 16; i++) {
      if (t > 0) {
        v8 a = w[(i + 1) & 15], b = w[(i + 14) & 15];
        v8 s0 = xor3(ROTR(a, 7), ROTR(a, 18), _mm256_srli_epi32(a, 3));
        v8 s1 = xor3(ROTR(b, 17), ROTR(b, 19), _mm256_srli_epi32(b, 10));
        w[i] = add(add(w[i], s0), add(w[(i + 9) & 15], s1));
      }
      round_of(s, add(w[i], _mm256_set1_epi32((int)hf_k[t + i])));
    }
  }
  for (int i = 0; i < 8; i++) state[i] = add(state[i], s[i]);
}

TARGET static void known_block(v8 state[8], const uint32_t kw[64]) {
  v8 s[8];
  for (int i = 0; i < 8; i++) s[i] = state[i];
  for (int t = 0; t < 64; t += 16) {
    UNROLL for (int i = 0; i < 16; i++) round_of(s, _mm256_set1_epi32((int)kw[t + i]));
  }
  for (int i = 0; i < 8; i++) state[i] = add(state[i], s[i]);
}

TARGET static void group(const uint8_t *in, size_t size, uint8_t *out, const uint32_t kw[64]) {
  v8 s[8];
  size_t whole = size - size % HF_BLOCK;
  for (int i = 0; i < 8; i++) s[i] = _mm256_set1_epi32((int)hf_iv[i]);
  for (size_t at = 0; at < whole; at += HF_BLOCK) {
    /* what the lanes read next: see shani.inc */
    for (int l = 0; l < LANES; l++) _mm_prefetch((const char *)((uintptr_t)in + (size_t)l * size + at + 8192), _MM_HINT_T0);
    block(s, in + at, size);
  }
  if (whole == size) {
    known_block(s, kw);
  } else {
    uint8_t last[LANES][2 * HF_BLOCK];
    size_t count = 0;
    for (int l = 0; l < LANES; l++) count = hf_padding_blocks(in + (size_t)l * size + whole, size, last[l]);
    for (size_t b = 0; b < count; b++) block(s, last[0] + b * HF_BLOCK, 2 * HF_BLOCK);
  }
  transpose(s);
  for (int l = 0; l < LANES; l++) _mm256_storeu_si256((v8 *)(out + l * HF_NODE), swap(s[l]));
}

TARGET static void messages(const uint8_t *in, size_t size, size_t count, uint8_t *out) {
  uint32_t kw[64];
  size_t m = 0;
  if (size % HF_BLOCK == 0) hf_padding_schedule(size, kw);
  for (; m + LANES <= count; m += LANES) group(in + m * size, size, out + m * HF_NODE, kw);
  if (m < count) hf_portable.messages(in + m * size, size, count - m, out + m * HF_NODE);
}

TARGET static void pairs(const uint8_t *in, size_t count, uint8_t top, uint8_t *out) {
  size_t m = 0;
  for (; m + LANES <= count; m += LANES) group(in + m * HF_BLOCK, HF_BLOCK, out + m * HF_NODE, hf_pair_schedule);
  if (m < count) hf_portable.pairs(in + m * HF_BLOCK, count - m, 0xff, out + m * HF_NODE);
  hf_mask_top(out, count, top);
}

const hf_kernel hf_avx2 = {"avx2", messages, pairs, hf_fr32_avx2};
#endif
