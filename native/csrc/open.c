/*
 * Opening of leaves: reads the block and one page per seven levels for each leaf asked for, climbs from
 * the block to the root, and compares at every border. The fast twin of prover/src/opening.ts, for the
 * case in which nothing is wrong; it only says which opening did not fit, never why.
 *
 * The layout of kept layers is that of prover/src/layers.ts: nodes of the kept level, then the roots of
 * their pages of 128, and so on up to below the root.
 */
#include "kernel.h"

#include <string.h>

#define PAGE_LEVELS 7u
#define PAGE_NODES 128u
#define GROUPS_MAX 7u
#define AT_ONCE 32u                      /* leaves whose reads are made together */
#define BLOCK_MAX (16u * 1024u)
#define TOWER_MAX ((2 * PAGE_NODES + PAGE_LEVELS + 1) * HF_NODE)

typedef struct {
  uint8_t block[BLOCK_MAX];
  uint8_t page[GROUPS_MAX][PAGE_NODES * HF_NODE];
} bytes_read;

typedef struct {
  const hf_kernel *kernel;
  const hf_opening *what;
  unsigned kept_level, depth, groups;
  uint64_t block_size;
  uint64_t group_count[GROUPS_MAX], group_offset[GROUPS_MAX];
  uint64_t held[GROUPS_MAX];             /* which page each tower below is of; UINT64_MAX: none */
  uint8_t tower[GROUPS_MAX][TOWER_MAX];
  bytes_read read[AT_ONCE];
} opener;

static void lay_out(opener *o) {
  const hf_opening *w = o->what;
  uint64_t offset = 0;
  o->kept_level = w->scheme == HF_SHA256_1K ? 4 : 7;
  o->block_size = hf_capacity(w->scheme, o->kept_level);
  o->groups = 0;
  for (unsigned level = o->kept_level; level < w->depth; level += PAGE_LEVELS, o->groups++) {
    o->group_count[o->groups] = hf_nodes_at(w->scheme, w->payload.length, level);
    o->group_offset[o->groups] = offset;
    o->held[o->groups] = UINT64_MAX;
    offset += o->group_count[o->groups] * HF_NODE;
  }
}

/* One run that an opening needs; -1 when it lies outside what there is. */
static int plan(const hf_run *file, uint64_t offset, uint64_t length, uint8_t *into, hf_wanted *out) {
  if (offset > file->length || length > file->length - offset) return -1;
  *out = (hf_wanted){file->fd, file->offset + offset, (size_t)length, into};
  return 0;
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Reads everything that `count` openings need. 0, or -1 when something could not be read whole. */
static int read_all(opener *o, const uint64_t *indices, size_t count) {
  hf_wanted wanted[AT_ONCE * (GROUPS_MAX + 1)];
  const hf_opening *w = o->what;
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t at = (indices[i] >> o->kept_level) * o->block_size;
    if (plan(&w->payload, at, smaller(o->block_size, w->payload.length - at), o->read[i].block, &wanted[n++])) return -1;
    for (unsigned g = 0; g < o->groups; g++) {
      uint64_t first = (indices[i] >> (o->kept_level + PAGE_LEVELS * (g + 1))) * PAGE_NODES;
      uint64_t nodes = smaller(PAGE_NODES, o->group_count[g] - first);
      if (i > 0 && first == (indices[i - 1] >> (o->kept_level + PAGE_LEVELS * (g + 1))) * PAGE_NODES) continue;
      if (plan(&w->layers, o->group_offset[g] + first * HF_NODE, nodes * HF_NODE, o->read[i].page[g], &wanted[n++])) return -1;
    }
  }
  return w->read(wanted, n);
}

/* Siblings of `at` on every level of a tower of `levels`, one after another. */
static const uint8_t *climb(const uint8_t *tower, size_t count, size_t at, unsigned levels, uint8_t *path) {
  for (unsigned level = 0; level < levels; level++) {
    memcpy(path + level * HF_NODE, tower + (at ^ 1) * HF_NODE, HF_NODE);
    count += count % 2;
    tower += count * HF_NODE;
    count /= 2, at /= 2;
  }
  return tower;
}

/* The leaf and its siblings inside the block; returns the block's node. */
static const uint8_t *open_block(opener *o, uint64_t index, uint8_t *block, uint8_t *tower, uint8_t *out) {
  const hf_opening *w = o->what;
  uint64_t at = (index >> o->kept_level) * o->block_size;
  size_t length = (size_t)smaller(o->block_size, w->payload.length - at);
  size_t unit = w->scheme == HF_SHA256_1K ? 1024 : 127, units = (length + unit - 1) / unit;
  unsigned levels = o->kept_level < w->depth ? o->kept_level : w->depth;
  size_t inside = (size_t)(index & (((uint64_t)1 << o->kept_level) - 1));
  uint8_t nodes[PAGE_NODES * HF_NODE];
  memset(block + length, 0, units * unit - length);
  if (w->scheme == HF_SHA256_1K) {
    o->kernel->messages(block, 1024, units, nodes);
    memcpy(out, block + inside * 1024, 1024);
    hf_tower(o->kernel, w->scheme, nodes, units, 0, levels, tower);
    return climb(tower, units, inside, levels, out + 1024);
  }
  o->kernel->fr32(block, units, nodes);
  memcpy(out, nodes + inside * HF_NODE, HF_NODE);
  hf_tower(o->kernel, w->scheme, nodes, units * 4, 0, levels, tower);
  return climb(tower, units * 4, inside, levels, out + HF_NODE);
}

/* One opening whose bytes have been read; `from` is where pages that its neighbour shares were read. */
static int open_one(opener *o, uint64_t index, bytes_read *own, const uint8_t *const *pages, uint8_t *out) {
  const hf_opening *w = o->what;
  uint8_t tower[TOWER_MAX];
  size_t leaf = w->scheme == HF_SHA256_1K ? 1024 : HF_NODE;
  const uint8_t *node = open_block(o, index, own->block, tower, out);
  for (unsigned g = 0; g < o->groups; g++) {
    unsigned level = o->kept_level + PAGE_LEVELS * g;
    unsigned levels = w->depth - level < PAGE_LEVELS ? w->depth - level : PAGE_LEVELS;
    uint64_t page = index >> (level + PAGE_LEVELS);
    size_t count = (size_t)smaller(PAGE_NODES, o->group_count[g] - page * PAGE_NODES);
    size_t at = (size_t)(index >> level & (PAGE_NODES - 1));
    if (o->held[g] != page) {
      hf_tower(o->kernel, w->scheme, pages[g], count, level, level + levels, o->tower[g]);
      o->held[g] = page;
    }
    if (memcmp(o->tower[g] + at * HF_NODE, node, HF_NODE) != 0) return -1;
    node = climb(o->tower[g], count, at, levels, out + leaf + level * HF_NODE);
  }
  return memcmp(node, w->root, HF_NODE) == 0 ? 0 : -1;
}

int64_t hf_open(const hf_kernel *kernel, const hf_opening *what, const uint64_t *indices, size_t count,
                uint8_t *out) {
  size_t size = (what->scheme == HF_SHA256_1K ? 1024 : HF_NODE) + what->depth * HF_NODE;
  int64_t wrong = -1;
  opener *o = hf_scratch(HF_SCRATCH_OPEN, sizeof *o);
  if (o == NULL) return 0; /* the caller then opens one by one, and says what is wrong */
  o->kernel = kernel;
  o->what = what;
  lay_out(o);
  for (size_t first = 0; first < count && wrong < 0; first += AT_ONCE) {
    size_t now = count - first < AT_ONCE ? count - first : AT_ONCE;
    const uint8_t *pages[GROUPS_MAX] = {0};
    if (read_all(o, indices + first, now) != 0) wrong = (int64_t)first;
    for (size_t i = 0; i < now && wrong < 0; i++) {
      for (unsigned g = 0; g < o->groups; g++) {
        unsigned up = o->kept_level + PAGE_LEVELS * (g + 1);
        int shared = i > 0 && indices[first + i] >> up == indices[first + i - 1] >> up;
        if (!shared) pages[g] = o->read[i].page[g];
      }
      if (open_one(o, indices[first + i], &o->read[i], pages, out + (first + i) * size) != 0) wrong = (int64_t)(first + i);
    }
  }
  return wrong;
}
