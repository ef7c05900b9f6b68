/*
 * Fr32 expansion (FRC-0069): 127 bytes become four 32-byte elements of 254 bits each, least
 * significant bit first, the two top bits of each element zero. Element i starts at source bit
 * 254 * i, so each is a shift by 0, 2, 4 or 6 bits over the bytes before.
 */
#include "kernel.h"

#include <string.h>

static inline uint64_t load(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v = __builtin_bswap64(v);
#endif
  return v;
}
static inline void put(uint8_t *p, uint64_t v) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v = __builtin_bswap64(v);
#endif
  memcpy(p, &v, 8);
}

#define TOP 0x3fffffffffffffffull

void hf_fr32(const uint8_t *in, size_t quads, uint8_t *out) {
  for (; quads > 0; quads--, in += 127, out += 128) {
    uint64_t w[17];
    for (unsigned i = 0; i < 15; i++) w[i] = load(in + 8 * i);
    /* bytes 119..126 hold the last seven bytes that word 15 wants, one byte too early */
    w[15] = load(in + 119) >> 8;
    put(out, w[0]), put(out + 8, w[1]), put(out + 16, w[2]), put(out + 24, w[3] & TOP);
    for (unsigned e = 1; e < 4; e++) {
      const uint64_t *s = w + 4 * e - 1;
      unsigned up = 2 * e, down = 64 - 2 * e;
      for (unsigned i = 0; i < 3; i++) put(out + 32 * e + 8 * i, s[i] >> down | s[i + 1] << up);
      put(out + 32 * e + 24, (s[3] >> down | s[4] << up) & TOP);
    }
  }
}

#ifdef HF_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

/* Element e of a quad, 0 < e < 4: its words and those a word earlier, each shifted by the same. */
#define ELEMENT(e)                                                                                     \
  do {                                                                                                 \
    __m256i low = _mm256_loadu_si256((const __m256i *)(in + 32 * (e) - 8));                            \
    __m256i high = _mm256_loadu_si256((const __m256i *)(in + 32 * (e)));                               \
    __m256i word = _mm256_or_si256(_mm256_srli_epi64(low, 64 - 2 * (e)), _mm256_slli_epi64(high, 2 * (e))); \
    _mm256_storeu_si256((__m256i *)(out + 32 * (e)), _mm256_and_si256(word, top));                     \
  } while (0)

/* Reads one byte beyond each quad, whose bits the mask takes away; so the last is done without. */
TARGET void hf_fr32_avx2(const uint8_t *in, size_t quads, uint8_t *out) {
  const __m256i top = _mm256_set_epi64x((long long)TOP, -1, -1, -1);
  for (; quads > 1; quads--, in += 127, out += 128) {
    __m256i first = _mm256_loadu_si256((const __m256i *)in);
    _mm256_storeu_si256((__m256i *)out, _mm256_and_si256(first, top));
    ELEMENT(1);
    ELEMENT(2);
    ELEMENT(3);
  }
  if (quads > 0) hf_fr32(in, 1, out);
}
#endif
