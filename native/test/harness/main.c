/*
 * Runs every kernel of the addon without Node, under the sanitizers: all kernels must agree with the
 * portable one on every size around the borders, on inputs that are exactly as long as they may be
 * and not a byte longer, so that a read or write too far is caught. Also feeds the tree with a
 * source that fails, and hashes with keccak. Prints one line; the exit code says whether everything agreed.
 */
#include "../../csrc/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HF_EMULATED
extern const hf_kernel hf_armv8;
#endif

static uint64_t state = 88172645463325252ull;
static uint8_t noise(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (uint8_t)(state >> 24);
}
static uint8_t *exactly(size_t length, int filled) {
  uint8_t *p = malloc(length ? length : 1);
  if (p == NULL) exit(2);
  for (size_t i = 0; filled && i < length; i++) p[i] = noise();
  return p;
}
static int wrong;
static void check(int good, const char *kernel, const char *what, size_t a, size_t b) {
  if (good) return;
  wrong++;
  fprintf(stderr, "%s: %s %zu %zu differs\n", kernel, what, a, b);
}

static void check_messages(const hf_kernel *k, size_t size, size_t count) {
  uint8_t *in = exactly(size * count, 1), *a = exactly(32 * count, 0), *b = exactly(32 * count, 0);
  hf_portable.messages(in, size, count, a);
  k->messages(in, size, count, b);
  check(memcmp(a, b, 32 * count) == 0, k->name, "messages", size, count);
  free(in), free(a), free(b);
}

static void check_pairs(const hf_kernel *k, size_t count, uint8_t top) {
  uint8_t *in = exactly(64 * count, 1), *a = exactly(32 * count, 0);
  hf_portable.pairs(in, count, top, a);
  k->pairs(in, count, top, in);
  check(memcmp(a, in, 32 * count) == 0, k->name, "pairs in place", count, 0);
  free(in), free(a);
}

static void check_fr32(const hf_kernel *k, size_t quads) {
  uint8_t *in = exactly(127 * quads, 1), *a = exactly(128 * quads, 0), *b = exactly(128 * quads, 0);
  hf_fr32(in, quads, a);
  k->fr32(in, quads, b);
  check(memcmp(a, b, 128 * quads) == 0, k->name, "fr32", quads, 0);
  free(in), free(a), free(b);
}

typedef struct { const uint8_t *data; uint64_t fails_at; } memory;

static int give(hf_source *source, uint64_t offset, size_t length, const uint8_t **tile) {
  memory *m = source->state;
  if (offset + length > m->fails_at) return EIO;
  *tile = m->data + offset;
  return 0;
}

/* The tree by its definition, over nodes of one level. */
static void slow_tree(hf_scheme scheme, const uint8_t *data, size_t length, unsigned level, uint8_t root[32]) {
  size_t leaves = (size_t)1 << level;
  uint8_t *nodes = calloc(leaves, 32);
  if (nodes == NULL) exit(2);
  if (scheme == HF_SHA256_1K) {
    for (size_t i = 0; i * 1024 < length; i++) {
      uint8_t leaf[1024] = {0};
      memcpy(leaf, data + i * 1024, length - i * 1024 < 1024 ? length - i * 1024 : 1024);
      hf_portable.messages(leaf, 1024, 1, nodes + 32 * i);
    }
  } else {
    for (size_t bit = 0; bit < length * 8; bit++) {
      size_t to = bit / 254 * 256 + bit % 254;
      nodes[to / 8] |= (uint8_t)((data[bit / 8] >> bit % 8 & 1) << to % 8);
    }
  }
  for (; leaves > 1; leaves /= 2) {
    hf_portable.pairs(nodes, leaves / 2, 0xff, nodes);
    for (size_t i = 0; scheme == HF_COMMP && i < leaves / 2; i++) nodes[32 * i + 31] &= 0x3f;
  }
  memcpy(root, nodes, 32);
  free(nodes);
}

static void check_tree(const hf_kernel *k, hf_scheme scheme, size_t length, unsigned level, unsigned kept_level) {
  uint8_t *data = exactly(length, 1), want[32], got[32];
  size_t count = kept_level <= level ? (size_t)hf_nodes_at(scheme, length, kept_level) : 0;
  uint8_t *kept = exactly(32 * count + 32, 0);
  memory m = {data, length};
  hf_source source = {give, &m};
  slow_tree(scheme, data, length, level, want);
  int failed = hf_subtree(k, scheme, &source, length, level, kept_level, count ? kept : NULL, got);
  check(failed == 0 && memcmp(want, got, 32) == 0, k->name, "tree", length, level);
  if (count) {
    hf_reduce(k, scheme, kept, count, kept_level, level);
    check(memcmp(want, kept, 32) == 0, k->name, "kept nodes", length, level);
  }
  if (length > 1) {
    m.fails_at = length - 1;
    check(hf_subtree(k, scheme, &source, length, level, kept_level, NULL, got) == EIO, k->name, "failing source", length, level);
  }
  free(data), free(kept);
}

static void check_kernel(const hf_kernel *k) {
  static const size_t sizes[] = {1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 1024, 5000};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    for (size_t count = 1; count < 20; count++) check_messages(k, sizes[s], count);
  }
  for (size_t count = 1; count < 70; count++) {
    check_pairs(k, count, 0xff);
    check_pairs(k, count, HF_TRUNC254);
    check_fr32(k, count);
  }
  static const size_t leaves[] = {1, 2, 3, 15, 16, 17, 63, 64, 65, 130, 300};
  for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
    for (int extra = -1; extra < 2; extra++) {
      size_t one = leaves[i] * 1024 + (size_t)extra, two = leaves[i] * 127 + (size_t)extra;
      unsigned level = 0, quad = 2;
      while (hf_capacity(HF_SHA256_1K, level) < one) level++;
      while (hf_capacity(HF_COMMP, quad) < two) quad++;
      check_tree(k, HF_SHA256_1K, one, level, 4);
      check_tree(k, HF_SHA256_1K, one, level + 2, 0);
      if (two > 0) check_tree(k, HF_COMMP, two, quad, 7), check_tree(k, HF_COMMP, two, quad + 1, 2);
    }
  }
  check_tree(k, HF_COMMP, 127 * 1025, 13, 7);
  check_tree(k, HF_SHA256_1K, 1024 * 4097 - 5, 13, 4);
}

/* keccak-256 of the empty message and of "abc": published values of the original padding. */
static void check_keccak(void) {
  static const uint8_t nothing[4] = {0xc5, 0xd2, 0x46, 0x01}, abc[4] = {0x4e, 0x03, 0x65, 0x7a};
  uint8_t one[32];
  hf_keccak((const uint8_t *)"", 0, 1, one);
  check(memcmp(one, nothing, 4) == 0, "keccak", "empty", 0, 0);
  hf_keccak((const uint8_t *)"abc", 3, 1, one);
  check(memcmp(one, abc, 4) == 0, "keccak", "abc", 3, 1);
  for (size_t size = 1; size < 300; size++) {
    uint8_t *in = exactly(3 * size, 1), *all = exactly(96, 0);
    hf_keccak(in, size, 3, all);
    hf_keccak(in + 2 * size, size, 1, one);
    check(memcmp(all + 64, one, 32) == 0, "keccak", "third of three", size, 3);
    free(in), free(all);
  }
}

int main(void) {
  const hf_kernel *const *list;
  size_t count = hf_kernels(&list);
  hf_crc32c_init();
  hf_tree_init();
  for (size_t i = 0; i < count; i++) check_kernel(list[i]);
#ifdef HF_EMULATED
  check_kernel(&hf_armv8);
#endif
  check_keccak();
  for (size_t length = 0; length < 70; length++) {
    uint8_t *in = exactly(length, 1);
    check(hf_crc32c(7, in, length) == hf_crc32c_portable(7, in, length), "crc32c", "length", length, 0);
    free(in);
  }
  printf("%zu kernels, %d differences\n", count, wrong);
  return wrong != 0;
}
