/*
 * Just enough of arm_neon.h, in portable C, to run csrc/armv8.c on a machine that is not an ARM:
 * the semantics of the four SHA-256 instructions are those of the Arm Architecture Reference Manual
 * (SHA256H, SHA256H2, SHA256SU0, SHA256SU1). For tests only.
 */
#ifndef HOLDFAST_EMULATED_NEON_H
#define HOLDFAST_EMULATED_NEON_H
#include <stdint.h>
#include <string.h>

typedef struct { uint32_t v[4]; } uint32x4_t;
typedef struct { uint8_t v[16]; } uint8x16_t;

static inline uint32x4_t vld1q_u32(const uint32_t *p) { uint32x4_t r; memcpy(r.v, p, 16); return r; }
static inline uint8x16_t vld1q_u8(const uint8_t *p) { uint8x16_t r; memcpy(r.v, p, 16); return r; }
static inline void vst1q_u8(uint8_t *p, uint8x16_t a) { memcpy(p, a.v, 16); }
static inline uint8x16_t vreinterpretq_u8_u32(uint32x4_t a) { uint8x16_t r; memcpy(r.v, a.v, 16); return r; }
static inline uint32x4_t vreinterpretq_u32_u8(uint8x16_t a) { uint32x4_t r; memcpy(r.v, a.v, 16); return r; }
static inline uint8x16_t vrev32q_u8(uint8x16_t a) {
  uint8x16_t r;
  for (int i = 0; i < 16; i++) r.v[i] = a.v[(i & ~3) + 3 - (i & 3)];
  return r;
}
static inline uint32x4_t vaddq_u32(uint32x4_t a, uint32x4_t b) {
  for (int i = 0; i < 4; i++) a.v[i] += b.v[i];
  return a;
}
static inline uint32_t hf_emu_rotr(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* Four rounds; `part` says which half of the state is wanted. X = abcd, Y = efgh, W = schedule + K. */
static inline uint32x4_t hf_emu_hash(uint32x4_t x, uint32x4_t y, uint32x4_t w, int part) {
  for (int e = 0; e < 4; e++) {
    uint32_t ch = (y.v[0] & y.v[1]) ^ (~y.v[0] & y.v[2]);
    uint32_t maj = (x.v[0] & x.v[1]) ^ (x.v[0] & x.v[2]) ^ (x.v[1] & x.v[2]);
    uint32_t s1 = hf_emu_rotr(y.v[0], 6) ^ hf_emu_rotr(y.v[0], 11) ^ hf_emu_rotr(y.v[0], 25);
    uint32_t s0 = hf_emu_rotr(x.v[0], 2) ^ hf_emu_rotr(x.v[0], 13) ^ hf_emu_rotr(x.v[0], 22);
    uint32_t t = y.v[3] + s1 + ch + w.v[e];
    uint32_t d = x.v[3] + t, a = t + s0 + maj;
    uint32x4_t nx = {{a, x.v[0], x.v[1], x.v[2]}}, ny = {{d, y.v[0], y.v[1], y.v[2]}};
    x = nx, y = ny;
  }
  return part ? y : x;
}
static inline uint32x4_t vsha256hq_u32(uint32x4_t abcd, uint32x4_t efgh, uint32x4_t wk) {
  return hf_emu_hash(abcd, efgh, wk, 0);
}
static inline uint32x4_t vsha256h2q_u32(uint32x4_t efgh, uint32x4_t abcd, uint32x4_t wk) {
  return hf_emu_hash(abcd, efgh, wk, 1);
}
static inline uint32x4_t vsha256su0q_u32(uint32x4_t w0_3, uint32x4_t w4_7) {
  uint32_t next[5] = {w0_3.v[0], w0_3.v[1], w0_3.v[2], w0_3.v[3], w4_7.v[0]};
  for (int i = 0; i < 4; i++) {
    uint32_t x = next[i + 1];
    w0_3.v[i] = next[i] + (hf_emu_rotr(x, 7) ^ hf_emu_rotr(x, 18) ^ x >> 3);
  }
  return w0_3;
}
static inline uint32x4_t vsha256su1q_u32(uint32x4_t tw0_3, uint32x4_t w8_11, uint32x4_t w12_15) {
  uint32_t w9_12[4] = {w8_11.v[1], w8_11.v[2], w8_11.v[3], w12_15.v[0]};
  uint32_t last[2] = {w12_15.v[2], w12_15.v[3]};
  uint32x4_t r;
  for (int i = 0; i < 4; i++) {
    uint32_t x = i < 2 ? last[i] : r.v[i - 2];
    r.v[i] = tw0_3.v[i] + w9_12[i] + (hf_emu_rotr(x, 17) ^ hf_emu_rotr(x, 19) ^ x >> 10);
  }
  return r;
}
#endif
