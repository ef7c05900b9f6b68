/*
 * SHA-256 in portable C (FIPS 180-4), one message at a time: the kernel for processors without
 * anything better, and the pieces of padding that every kernel shares.
 */
#include "kernel.h"

#include <string.h>

const uint32_t hf_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

const uint32_t hf_iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* What `hf_padding_schedule` gives for messages of 64 bytes. */
const uint32_t hf_pair_schedule[64] = {
    0xc28a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf374,
    0x649b69c1, 0xf0fe4786, 0x0fe1edc6, 0x240cf254, 0x4fe9346f, 0x6cc984be, 0x61b9411e, 0x16f988fa,
    0xf2c65152, 0xa88e5a6d, 0xb019fc65, 0xb9d99ec7, 0x9a1231c3, 0xe70eeaa0, 0xfdb1232b, 0xc7353eb0,
    0x3069bad5, 0xcb976d5f, 0x5a0f118f, 0xdc1eeefd, 0x0a35b689, 0xde0b7a04, 0x58f4ca9d, 0xe15d5b16,
    0x007f3e86, 0x37088980, 0xa507ea32, 0x6fab9537, 0x17406110, 0x0d8cd6f1, 0xcdaa3b6d, 0xc0bbbe37,
    0x83613bda, 0xdb48a363, 0x0b02e931, 0x6fd15ca7, 0x521afaca, 0x31338431, 0x6ed41a95, 0x6d437890,
    0xc39c91f2, 0x9eccabbd, 0xb5c9a0e6, 0x532fb63c, 0xd2c741c6, 0x07237ea3, 0xa4954b68, 0x4c191d76};

static inline uint32_t rotr(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static void expand(uint32_t w[64]) {
  for (unsigned t = 16; t < 64; t++) {
    uint32_t a = w[t - 15], b = w[t - 2];
    uint32_t s0 = rotr(a, 7) ^ rotr(a, 18) ^ a >> 3;
    uint32_t s1 = rotr(b, 17) ^ rotr(b, 19) ^ b >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
}

static void rounds(uint32_t state[8], const uint32_t kw[64]) {
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (unsigned t = 0; t < 64; t++) {
    uint32_t t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + kw[t];
    uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void block(uint32_t state[8], const uint8_t *in) {
  uint32_t w[64];
  for (unsigned t = 0; t < 16; t++) w[t] = hf_load32(in + 4 * t);
  expand(w);
  for (unsigned t = 0; t < 64; t++) w[t] += hf_k[t];
  rounds(state, w);
}

size_t hf_padding_blocks(const uint8_t *rest, size_t size, uint8_t out[2 * HF_BLOCK]) {
  size_t have = size % HF_BLOCK;
  size_t blocks = have < HF_BLOCK - 8 ? 1 : 2;
  uint64_t bits = (uint64_t)size * 8;
  memset(out, 0, 2 * HF_BLOCK);
  if (have > 0) memcpy(out, rest, have);
  out[have] = 0x80;
  hf_store32(out + blocks * HF_BLOCK - 8, (uint32_t)(bits >> 32));
  hf_store32(out + blocks * HF_BLOCK - 4, (uint32_t)bits);
  return blocks;
}

void hf_padding_schedule(size_t size, uint32_t kw[64]) {
  uint8_t last[2 * HF_BLOCK];
  hf_padding_blocks(NULL, size, last);
  for (unsigned t = 0; t < 16; t++) kw[t] = hf_load32(last + 4 * t);
  expand(kw);
  for (unsigned t = 0; t < 64; t++) kw[t] += hf_k[t];
}

static void messages(const uint8_t *in, size_t size, size_t count, uint8_t *out) {
  size_t whole = size / HF_BLOCK;
  for (size_t m = 0; m < count; m++, in += size, out += HF_NODE) {
    uint32_t state[8];
    uint8_t last[2 * HF_BLOCK];
    memcpy(state, hf_iv, sizeof state);
    for (size_t b = 0; b < whole; b++) block(state, in + b * HF_BLOCK);
    size_t blocks = hf_padding_blocks(in + whole * HF_BLOCK, size, last);
    for (size_t b = 0; b < blocks; b++) block(state, last + b * HF_BLOCK);
    for (unsigned i = 0; i < 8; i++) hf_store32(out + 4 * i, state[i]);
  }
}

static void pairs(const uint8_t *in, size_t count, uint8_t top, uint8_t *out) {
  for (size_t m = 0; m < count; m++, in += HF_BLOCK, out += HF_NODE) {
    uint32_t state[8];
    memcpy(state, hf_iv, sizeof state);
    block(state, in);
    rounds(state, hf_pair_schedule);
    for (unsigned i = 0; i < 8; i++) hf_store32(out + 4 * i, state[i]);
    out[HF_NODE - 1] &= top;
  }
}

const hf_kernel hf_portable = {"portable", messages, pairs, hf_fr32};
