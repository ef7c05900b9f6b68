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
