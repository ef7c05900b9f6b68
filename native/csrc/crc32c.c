/*
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78): the instruction of SSE4.2 where
 * it can be relied on, else eight table look-ups per eight bytes.
 */
#include "kernel.h"

#include <string.h>

static uint32_t table[8][256];
static int ready;

static void build(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
    table[0][i] = c;
  }
  for (int t = 1; t < 8; t++) {
    for (int i = 0; i < 256; i++) table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 255];
  }
}

void hf_crc32c_init(void) {
  if (!ready) build();
  ready = 1;
}

uint32_t hf_crc32c_portable(uint32_t seed, const uint8_t *in, size_t length) {
  uint32_t c = ~seed;
  for (; length >= 8; length -= 8, in += 8) {
    uint32_t low = c ^ ((uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24);
    c = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
        table[3][in[4]] ^ table[2][in[5]] ^ table[1][in[6]] ^ table[0][in[7]];
  }
  for (; length > 0; length--) c = c >> 8 ^ table[0][(c ^ *in++) & 255];
  return ~c;
}

#ifdef HF_X86
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse(uint32_t seed, const uint8_t *in, size_t length) {
  uint64_t c = ~seed & 0xffffffffu;
  for (; length >= 8; length -= 8, in += 8) {
    uint64_t v;
    memcpy(&v, in, 8);
    c = _mm_crc32_u64(c, v);
  }
  for (; length > 0; length--) c = _mm_crc32_u8((uint32_t)c, *in++);
  return ~(uint32_t)c;
}

uint32_t hf_crc32c(uint32_t seed, const uint8_t *in, size_t length) {
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse(seed, in, length);
  return hf_crc32c_portable(seed, in, length);
}
#else
uint32_t hf_crc32c(uint32_t seed, const uint8_t *in, size_t length) {
  return hf_crc32c_portable(seed, in, length);
}
#endif
