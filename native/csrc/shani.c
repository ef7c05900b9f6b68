/*
 * SHA-256 with the x86 SHA extensions, several messages interleaved: one stream leaves most of the
 * unit idle, because `sha256rnds2` takes four cycles and a new one can start every cycle or two.
 * The block that closes a message of whole blocks is the same for all of them, so its schedule is
 * computed once. Never mixed with 256-bit code: dirty upper halves make SHA instructions crawl.
 */
#include "kernel.h"

#ifdef HF_X86
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLL _Pragma("GCC unroll 16")

#ifndef HF_SHANI_LANES
#define HF_SHANI_LANES 4
#endif

typedef struct { __m128i abef, cdgh; } state;

INLINE __m128i swap(__m128i x) {
  return _mm_shuffle_epi8(x, _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL));
}

INLINE state initial(void) {
  /* the words of hf_iv in the order that the instructions want: a b e f, c d g h */
  return (state){_mm_set_epi32(0x6a09e667, (int)0xbb67ae85u, 0x510e527f, (int)0x9b05688cu),
                 _mm_set_epi32(0x3c6ef372, (int)0xa54ff53au, 0x1f83d9ab, 0x5be0cd19)};
}

INLINE void store(state s, uint8_t *out) {
  __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b);
  __m128i dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)out, swap(_mm_blend_epi16(feba, dchg, 0xf0)));
  _mm_storeu_si128((__m128i *)(out + 16), swap(_mm_alignr_epi8(dchg, feba, 8)));
}

INLINE void four_rounds(state *s, __m128i kw) {
  s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, kw);
  s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

/* One block in each of `lanes` streams. */
INLINE void blocks(const int lanes, state *s, const uint8_t *const *in, size_t at) {
  __m128i m[HF_SHANI_LANES][4];
  state start[HF_SHANI_LANES];
  UNROLL for (int l = 0; l < lanes; l++) start[l] = s[l];
  UNROLL for (int q = 0; q < 16; q++) {
    const __m128i k = _mm_loadu_si128((const __m128i *)(hf_k + 4 * q));
    UNROLL for (int l = 0; l < lanes; l++) {
      if (q < 4) {
        m[l][q] = swap(_mm_loadu_si128((const __m128i *)(in[l] + at + 16 * q)));
      } else {
        __m128i w9 = _mm_alignr_epi8(m[l][(q + 3) & 3], m[l][(q + 2) & 3], 4);
        __m128i w = _mm_add_epi32(_mm_sha256msg1_epu32(m[l][q & 3], m[l][(q + 1) & 3]), w9);
        m[l][q & 3] = _mm_sha256msg2_epu32(w, m[l][(q + 3) & 3]);
      }
      four_rounds(&s[l], _mm_add_epi32(m[l][q & 3], k));
    }
  }
  UNROLL for (int l = 0; l < lanes; l++) {
    s[l].abef = _mm_add_epi32(s[l].abef, start[l].abef);
    s[l].cdgh = _mm_add_epi32(s[l].cdgh, start[l].cdgh);
  }
}

/* One block whose schedule is known, the same in every stream. */
INLINE void known_block(const int lanes, state *s, const uint32_t kw[64]) {
  state start[HF_SHANI_LANES];
  UNROLL for (int l = 0; l < lanes; l++) start[l] = s[l];
  UNROLL for (int q = 0; q < 16; q++) {
    const __m128i low = _mm_loadu_si128((const __m128i *)(kw + 4 * q));
    const __m128i high = _mm_shuffle_epi32(low, 0x0e);
    UNROLL for (int l = 0; l < lanes; l++) s[l].cdgh = _mm_sha256rnds2_epu32(s[l].cdgh, s[l].abef, low);
    UNROLL for (int l = 0; l < lanes; l++) s[l].abef = _mm_sha256rnds2_epu32(s[l].abef, s[l].cdgh, high);
  }
  UNROLL for (int l = 0; l < lanes; l++) {
    s[l].abef = _mm_add_epi32(s[l].abef, start[l].abef);
    s[l].cdgh = _mm_add_epi32(s[l].cdgh, start[l].cdgh);
  }
}

INLINE void group(const int lanes, const uint8_t *in, size_t size, uint8_t *out, const uint32_t kw[64]) {
  state s[HF_SHANI_LANES];
  const uint8_t *from[HF_SHANI_LANES];
  size_t whole = size - size % HF_BLOCK;
  UNROLL for (int l = 0; l < lanes; l++) {
    s[l] = initial();
    from[l] = in + (size_t)l * size;
  }
  for (size_t at = 0; at < whole; at += HF_BLOCK) blocks(lanes, s, from, at);
  if (whole == size) {
    known_block(lanes, s, kw);
  } else {
    uint8_t last[HF_SHANI_LANES][2 * HF_BLOCK];
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
  for (; m + HF_SHANI_LANES <= count; m += HF_SHANI_LANES) {
    group(HF_SHANI_LANES, in + m * size, size, out + m * HF_NODE, kw);
  }
  for (; m + 2 <= count; m += 2) group(2, in + m * size, size, out + m * HF_NODE, kw);
  if (m < count) group(1, in + m * size, size, out + m * HF_NODE, kw);
}

#ifndef HF_SHANI_PAIR_LANES
#define HF_SHANI_PAIR_LANES HF_SHANI_LANES
#endif

INLINE void pair_group(const int lanes, const uint8_t *in, uint8_t *out, const uint32_t kw[64]) {
  state s[HF_SHANI_LANES];
  const uint8_t *from[HF_SHANI_LANES];
  UNROLL for (int l = 0; l < lanes; l++) {
    s[l] = initial();
    from[l] = in + l * HF_BLOCK;
  }
  blocks(lanes, s, from, 0);
  known_block(lanes, s, kw);
  UNROLL for (int l = 0; l < lanes; l++) store(s[l], out + l * HF_NODE);
}

TARGET static void pairs(const uint8_t *in, size_t count, uint8_t *out) {
  uint32_t kw[64];
  size_t m = 0;
  hf_padding_schedule(HF_BLOCK, kw);
  for (; m + HF_SHANI_PAIR_LANES <= count; m += HF_SHANI_PAIR_LANES) {
    pair_group(HF_SHANI_PAIR_LANES, in + m * HF_BLOCK, out + m * HF_NODE, kw);
  }
  for (; m + 2 <= count; m += 2) pair_group(2, in + m * HF_BLOCK, out + m * HF_NODE, kw);
  if (m < count) pair_group(1, in + m * HF_BLOCK, out + m * HF_NODE, kw);
}

const hf_kernel hf_shani = {"shani", messages, pairs};
#endif
