/*
 * keccak-256 as Ethereum uses it (the original padding, not SHA-3's) of many equal messages: the
 * hash of a bundle's entries and nodes. Scalar code for 64-bit machines, the state in locals.
 * Source: the Keccak reference, version 3.0, sections 1.2 and 2.3.
 *
 * One permutation takes about 0.3 microseconds; a bundle of 10,000 deals has a million of them. Lanes
 * side by side in AVX2 would save a tenth of a second of a period's several: not worth a kernel.
 */
#include "kernel.h"

#include <string.h>

#define RATE 136u /* bytes of the state that a block fills: 1600 - 2 * 256 bits */
#define ROUNDS 24

/* Section 1.2, table of iota's constants. */
static const uint64_t iota[ROUNDS] = {
    0x0000000000000001u, 0x0000000000008082u, 0x800000000000808au, 0x8000000080008000u, 0x000000000000808bu,
    0x0000000080000001u, 0x8000000080008081u, 0x8000000000008009u, 0x000000000000008au, 0x0000000000000088u,
    0x0000000080008009u, 0x000000008000000au, 0x000000008000808bu, 0x800000000000008bu, 0x8000000000008089u,
    0x8000000000008003u, 0x8000000000008002u, 0x8000000000000080u, 0x000000000000800au, 0x800000008000000au,
    0x8000000080008081u, 0x8000000000008080u, 0x0000000080000001u, 0x8000000080008008u,
};

static inline uint64_t rotl(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

static inline uint64_t load64(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v = __builtin_bswap64(v);
#endif
  return v;
}

static inline void store64(uint8_t *p, uint64_t v) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v = __builtin_bswap64(v);
#endif
  memcpy(p, &v, 8);
}

/* One plane after rho and pi, through chi: to[0..4] from five rotated lanes. */
#define CHI(to, b0, b1, b2, b3, b4)                                                                    \
  do {                                                                                                 \
    const uint64_t c0 = (b0), c1 = (b1), c2 = (b2), c3 = (b3), c4 = (b4);                              \
    (to)[0] = c0 ^ (~c1 & c2);                                                                         \
    (to)[1] = c1 ^ (~c2 & c3);                                                                         \
    (to)[2] = c2 ^ (~c3 & c4);                                                                         \
    (to)[3] = c3 ^ (~c4 & c0);                                                                         \
    (to)[4] = c4 ^ (~c0 & c1);                                                                         \
  } while (0)

/* The state is a[5 y + x]. */
static inline void round_of(const uint64_t a[25], uint64_t e[25], uint64_t constant) {
  const uint64_t p0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
  const uint64_t p1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
  const uint64_t p2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
  const uint64_t p3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
  const uint64_t p4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
  const uint64_t d0 = p4 ^ rotl(p1, 1), d1 = p0 ^ rotl(p2, 1), d2 = p1 ^ rotl(p3, 1);
  const uint64_t d3 = p2 ^ rotl(p4, 1), d4 = p3 ^ rotl(p0, 1);
  CHI(e, a[0] ^ d0, rotl(a[6] ^ d1, 44), rotl(a[12] ^ d2, 43), rotl(a[18] ^ d3, 21), rotl(a[24] ^ d4, 14));
  e[0] ^= constant;
  CHI(e + 5, rotl(a[3] ^ d3, 28), rotl(a[9] ^ d4, 20), rotl(a[10] ^ d0, 3), rotl(a[16] ^ d1, 45), rotl(a[22] ^ d2, 61));
  CHI(e + 10, rotl(a[1] ^ d1, 1), rotl(a[7] ^ d2, 6), rotl(a[13] ^ d3, 25), rotl(a[19] ^ d4, 8), rotl(a[20] ^ d0, 18));
  CHI(e + 15, rotl(a[4] ^ d4, 27), rotl(a[5] ^ d0, 36), rotl(a[11] ^ d1, 10), rotl(a[17] ^ d2, 15), rotl(a[23] ^ d3, 56));
  CHI(e + 20, rotl(a[2] ^ d2, 62), rotl(a[8] ^ d3, 55), rotl(a[14] ^ d4, 39), rotl(a[15] ^ d0, 41), rotl(a[21] ^ d1, 2));
}

static void permute(uint64_t state[25]) {
  uint64_t other[25];
  for (unsigned r = 0; r < ROUNDS; r += 2) {
    round_of(state, other, iota[r]);
    round_of(other, state, iota[r + 1]);
  }
}

static void absorb(uint64_t state[25], const uint8_t *block) {
  for (unsigned i = 0; i < RATE / 8; i++) state[i] ^= load64(block + 8 * i);
  permute(state);
}

void hf_keccak(const uint8_t *in, size_t size, size_t count, uint8_t *out) {
  for (; count > 0; count--, out += HF_NODE) {
    uint64_t state[25] = {0};
    uint8_t last[RATE] = {0};
    size_t rest = size % RATE;
    for (const uint8_t *end = in + (size - rest); in < end; in += RATE) absorb(state, in);
    if (rest > 0) memcpy(last, in, rest);
    in += rest;
    last[rest] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(state, last);
    for (unsigned i = 0; i < 4; i++) store64(out + 8 * i, state[i]);
  }
}
