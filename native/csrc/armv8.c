/*
 * SHA-256 with the ARMv8 cryptography extension, four messages interleaved. The twin of shani.c
 * with this processor's instructions; tests run it on other machines over an emulation of the four
 * SHA-256 instructions (test/harness/arm_neon.h).
 */
#include "kernel.h"

#ifdef HF_ARM
#include <arm_neon.h>
#include <string.h>

#ifdef HF_EMULATED
#define TARGET
#elif defined(__clang__)
#define TARGET __attribute__((target("sha2")))
#else
#define TARGET __attribute__((target("+crypto")))
#endif
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLL _Pragma("GCC unroll 16")
#define LANES 4

typedef struct { uint32x4_t abcd, efgh; } state;

INLINE state initial(void) { return (state){vld1q_u32(hf_iv), vld1q_u32(hf_iv + 4)}; }

INLINE void store(state s, uint8_t *out) {
  vst1q_u8(out, vrev32q_u8(vreinterpretq_u8_u32(s.abcd)));
  vst1q_u8(out + 16, vrev32q_u8(vreinterpretq_u8_u32(s.efgh)));
}

INLINE void four_rounds(state *s, uint32x4_t kw) {
  uint32x4_t abcd = s->abcd;
  s->abcd = vsha256hq_u32(abcd, s->efgh, kw);
  s->efgh = vsha256h2q_u32(s->efgh, abcd, kw);
}

/* One block in each of `lanes` streams. */
INLINE void blocks(const int lanes, state *s, const uint8_t *const *in, size_t at) {
  uint32x4_t m[LANES][4];
  state start[LANES];
  UNROLL for (int l = 0; l < lanes; l++) start[l] = s[l];
  UNROLL for (int q = 0; q < 16; q++) {
    const uint32x4_t k = vld1q_u32(hf_k + 4 * q);
    UNROLL for (int l = 0; l < lanes; l++) {
      if (q < 4) {
        m[l][q] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(in[l] + at + 16 * q)));
      } else {
        uint32x4_t w = vsha256su0q_u32(m[l][q & 3], m[l][(q + 1) & 3]);
        m[l][q & 3] = vsha256su1q_u32(w, m[l][(q + 2) & 3], m[l][(q + 3) & 3]);
      }
      four_rounds(&s[l], vaddq_u32(m[l][q & 3], k));
    }
  }
  UNROLL for (int l = 0; l < lanes; l++) {
    s[l].abcd = vaddq_u32(s[l].abcd, start[l].abcd);
    s[l].efgh = vaddq_u32(s[l].efgh, start[l].efgh);
  }
}

/* One block whose schedule is known, the same in every stream. */
INLINE void known_block(const int lanes, state *s, const uint32_t kw[64]) {
  state start[LANES];
  UNROLL for (int l = 0; l < lanes; l++) start[l] = s[l];
  UNROLL for (int q = 0; q < 16; q++) {
    const uint32x4_t k = vld1q_u32(kw + 4 * q);
    UNROLL for (int l = 0; l < lanes; l++) four_rounds(&s[l], k);
  }
  UNROLL for (int l = 0; l < lanes; l++) {
    s[l].abcd = vaddq_u32(s[l].abcd, start[l].abcd);
    s[l].efgh = vaddq_u32(s[l].efgh, start[l].efgh);
  }
}

INLINE void group(const int lanes, const uint8_t *in, size_t size, uint8_t *out, const uint32_t kw[64]) {
  state s[LANES];
  const uint8_t *from[LANES];
  size_t whole = size - size % HF_BLOCK;
  UNROLL for (int l = 0; l < lanes; l++) {
    s[l] = initial();
    from[l] = in + (size_t)l * size;
  }
  for (size_t at = 0; at < whole; at += HF_BLOCK) blocks(lanes, s, from, at);
  if (whole == size) {
    known_block(lanes, s, kw);
  } else {
    uint8_t last[LANES][2 * HF_BLOCK];
    size_t count = 0;
    UNROLL for (int l = 0; l < lanes; l++) {
      count = hf_padding_blocks(from[l] + whole, size, last[l]);
      from[l] = last[l];
    }
    for (size_t at = 0; at < count * HF_BLOCK; at += HF_BLOCK) blocks(lanes, s, from, at);
  }
  UNROLL for (int l = 0; l < lanes; l++) store(s[l], out + (size_t)l * HF_NODE);
}

TARGET static void messages(const uint8_t *in, size_t size, size_t count, uint8_t *out) {
  uint32_t kw[64];
  size_t m = 0;
  if (size % HF_BLOCK == 0) hf_padding_schedule(size, kw);
  for (; m + LANES <= count; m += LANES) group(LANES, in + m * size, size, out + m * HF_NODE, kw);
  for (; m < count; m++) group(1, in + m * size, size, out + m * HF_NODE, kw);
}

TARGET static void pairs(const uint8_t *in, size_t count, uint8_t top, uint8_t *out) {
  messages(in, HF_BLOCK, count, out);
  hf_mask_top(out, count, top);
}

const hf_kernel hf_armv8 = {"armv8", messages, pairs, hf_fr32};
#endif
