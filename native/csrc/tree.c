/*
 * The payload tree over any SHA-256 kernel: reads tiles that stay in the second-level cache, hashes
 * them to nodes of the kept level, gathers those in batches wide enough to fill every lane, and
 * folds batches like a binary counter. Memory does not grow with the payload.
 */
#include "kernel.h"

#include <errno.h>
#include <string.h>

#define TILE_LEAVES 64u               /* sha256-1k: 64 KiB of payload, 2 KiB of nodes */
#define TILE_QUADS 512u               /* commp: 65,024 bytes of payload, 64 KiB in Fr32 */
#define TILE_BYTES (TILE_LEAVES * 1024u)
#define TILE_NODES (TILE_QUADS * 4u)
#define BATCH_LEVELS 8u

static uint8_t zero_nodes[2][HF_LEVEL_MAX + 1][HF_NODE];

static void pairs_of(const hf_kernel *kernel, hf_scheme scheme, const uint8_t *in, size_t count, uint8_t *out) {
  kernel->pairs(in, count, scheme == HF_COMMP ? HF_TRUNC254 : 0xff, out);
}

void hf_tree_init(void) {
  for (int scheme = HF_SHA256_1K; scheme <= HF_COMMP; scheme++) {
    for (unsigned level = 0; level < HF_LEVEL_MAX; level++) {
      uint8_t pair[HF_BLOCK];
      memcpy(pair, zero_nodes[scheme - 1][level], HF_NODE);
      memcpy(pair + HF_NODE, zero_nodes[scheme - 1][level], HF_NODE);
      pairs_of(&hf_portable, (hf_scheme)scheme, pair, 1, zero_nodes[scheme - 1][level + 1]);
    }
  }
}

const uint8_t *hf_zero_node(hf_scheme scheme, unsigned level) { return zero_nodes[scheme - 1][level]; }

uint64_t hf_capacity(hf_scheme scheme, unsigned level) {
  if (level >= 50) return UINT64_MAX;
  if (scheme == HF_SHA256_1K) return (uint64_t)1024 << level;
  return level < 2 ? 0 : (uint64_t)127 << (level - 2);
}

uint64_t hf_nodes_at(hf_scheme scheme, uint64_t length, unsigned level) {
  uint64_t leaves = scheme == HF_SHA256_1K ? length / 1024 + (length % 1024 != 0)
                                           : 4 * (length / 127 + (length % 127 != 0));
  uint64_t under = (uint64_t)1 << level;
  return leaves / under + (leaves % under != 0);
}

size_t hf_reduce(const hf_kernel *kernel, hf_scheme scheme, uint8_t *nodes, size_t count,
                 unsigned from, unsigned to) {
  for (unsigned level = from; level < to; level++) {
    if (count % 2 == 1) {
      memcpy(nodes + count * HF_NODE, zero_nodes[scheme - 1][level], HF_NODE);
      count++;
    }
    count /= 2;
    pairs_of(kernel, scheme, nodes, count, nodes);
  }
  return count;
}

void hf_tower(const hf_kernel *kernel, hf_scheme scheme, const uint8_t *nodes, size_t count, unsigned from,
              unsigned to, uint8_t *out) {
  memcpy(out, nodes, count * HF_NODE);
  for (unsigned level = from; level < to; level++) {
    if (count % 2 == 1) {
      memcpy(out + count * HF_NODE, zero_nodes[scheme - 1][level], HF_NODE);
      count++;
    }
    pairs_of(kernel, scheme, out, count / 2, out + count * HF_NODE);
    out += count * HF_NODE;
    count /= 2;
  }
}

/* Everything one call needs; about 140 KiB. */
typedef struct {
  const hf_kernel *kernel;
  hf_scheme scheme;
  unsigned batch_level;                              /* level of the nodes in `batch` */
  unsigned batch_top;                                /* level of a full batch's root */
  size_t batch_count;
  uint64_t folded;                                   /* full batches so far */
  uint8_t batch[((1u << BATCH_LEVELS) + 1) * HF_NODE];
  uint8_t stack[HF_LEVEL_MAX + 1][HF_NODE];          /* stack[i]: root over 2^i batches, if bit i of folded */
  uint8_t nodes[(TILE_NODES + 1) * HF_NODE];
  uint8_t tail[TILE_BYTES];
} tree;

static void fold(tree *t) {
  uint8_t pair[HF_BLOCK];
  unsigned i = 0;
  memcpy(pair + HF_NODE, t->batch, HF_NODE);
  for (; t->folded >> i & 1; i++) {
    memcpy(pair, t->stack[i], HF_NODE);
    pairs_of(t->kernel, t->scheme, pair, 1, pair + HF_NODE);
  }
  memcpy(t->stack[i], pair + HF_NODE, HF_NODE);
  t->folded++;
}

static void append(tree *t, const uint8_t *nodes, size_t count) {
  const size_t full = (size_t)1 << (t->batch_top - t->batch_level);
  while (count > 0) {
    size_t take = full - t->batch_count < count ? full - t->batch_count : count;
    memcpy(t->batch + t->batch_count * HF_NODE, nodes, take * HF_NODE);
    t->batch_count += take, nodes += take * HF_NODE, count -= take;
    if (t->batch_count == full) {
      hf_reduce(t->kernel, t->scheme, t->batch, full, t->batch_level, t->batch_top);
      fold(t);
      t->batch_count = 0;
    }
  }
}

static void finish(tree *t, unsigned level, uint8_t root[HF_NODE]) {
  uint8_t pair[HF_BLOCK];
  int open = t->batch_count > 0;
  if (open) hf_reduce(t->kernel, t->scheme, t->batch, t->batch_count, t->batch_level, t->batch_top);
  uint8_t *node = t->batch;
  for (unsigned i = 0; i < level - t->batch_top; i++) {
    int left = t->folded >> i & 1;
    if (!left && !open) continue;
    memcpy(pair, left ? t->stack[i] : node, HF_NODE);
    memcpy(pair + HF_NODE, left && open ? node : hf_zero_node(t->scheme, t->batch_top + i), HF_NODE);
    pairs_of(t->kernel, t->scheme, pair, 1, node);
    open = 1;
  }
  memcpy(root, open ? node : t->stack[level - t->batch_top], HF_NODE);
}

/* Leaves of one tile, reduced to the batch level; returns how many nodes. */
static size_t hash_tile(tree *t, const uint8_t *tile, size_t length) {
  if (t->scheme == HF_SHA256_1K) {
    size_t leaves = (length + 1023) / 1024;
    if (length % 1024 != 0) {
      if (tile != t->tail) memcpy(t->tail, tile, length);
      memset(t->tail + length, 0, leaves * 1024 - length);
      tile = t->tail;
    }
    t->kernel->messages(tile, 1024, leaves, t->nodes);
    return hf_reduce(t->kernel, t->scheme, t->nodes, leaves, 0, t->batch_level);
  }
  size_t quads = (length + 126) / 127;
  if (length % 127 != 0) {
    if (tile != t->tail) memcpy(t->tail, tile, length);
    memset(t->tail + length, 0, quads * 127 - length);
    tile = t->tail;
  }
  t->kernel->fr32(tile, quads, t->nodes);
  return hf_reduce(t->kernel, t->scheme, t->nodes, quads * 4, 0, t->batch_level);
}

int hf_subtree(const hf_kernel *kernel, hf_scheme scheme, hf_source *source, uint64_t length,
               unsigned level, unsigned kept_level, uint8_t *kept, uint8_t root[HF_NODE]) {
  const size_t step = scheme == HF_SHA256_1K ? TILE_BYTES : TILE_QUADS * 127u;
  tree *t = hf_scratch(HF_SCRATCH_TREE, sizeof *t);
  int failed = 0;
  if (t == NULL) return ENOMEM;
  t->kernel = kernel;
  t->scheme = scheme;
  t->batch_level = kept_level < level ? kept_level : level;
  t->batch_top = level - t->batch_level < BATCH_LEVELS ? level : t->batch_level + BATCH_LEVELS;
  t->batch_count = 0;
  t->folded = 0;
  for (uint64_t at = 0; at < length && !failed; at += step) {
    size_t take = length - at < step ? (size_t)(length - at) : step;
    const uint8_t *tile = t->tail;
    failed = source->read(source, at, take, &tile);
    if (failed) break;
    size_t nodes = hash_tile(t, tile, take);
    if (kept != NULL) {
      memcpy(kept, t->nodes, nodes * HF_NODE);
      kept += nodes * HF_NODE;
    }
    append(t, t->nodes, nodes);
  }
  if (!failed) finish(t, level, root);
  return failed;
}
