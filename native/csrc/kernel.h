/*
 * What the translation units of the addon share: the table of SHA-256 kernels, the tree over them,
 * Fr32 expansion and CRC32C. Nothing here knows Node; the binding is addon.c. Every function trusts
 * its lengths: addon.c and the test harness check them first.
 */
#ifndef HOLDFAST_KERNEL_H
#define HOLDFAST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define HF_NODE 32u          /* bytes of a digest */
#define HF_BLOCK 64u         /* bytes SHA-256 eats at once */
#define HF_LEVEL_MAX 60u     /* deepest tree that can be asked for */
#define HF_TRUNC254 0x3f     /* what commp keeps of a digest's last byte */
#define HF_LANES_MAX 8u      /* most streams any kernel interleaves */

/* A way to run SHA-256 on this machine. */
typedef struct hf_kernel {
  const char *name;
  /* `count` messages of `size` bytes, one after another; 32 bytes out for each. `out` may not
   * overlap `in`. */
  void (*messages)(const uint8_t *in, size_t size, size_t count, uint8_t *out);
  /* `count` messages of 64 bytes, the last byte of each digest masked with `top`: 0xff, or HF_TRUNC254.
   * `out` may start where `in` starts. */
  void (*pairs)(const uint8_t *in, size_t count, uint8_t top, uint8_t *out);
  /* 127 source bytes become 128 (FRC-0069): `quads` times. No overlap. */
  void (*fr32)(const uint8_t *in, size_t quads, uint8_t *out);
} hf_kernel;

extern const uint32_t hf_k[64];   /* round constants, FIPS 180-4, 4.2.2 */
extern const uint32_t hf_iv[8];   /* initial state, FIPS 180-4, 5.3.3 */
extern const uint32_t hf_pair_schedule[64]; /* of the block that closes 64 bytes; see hf_padding_schedule */

/* The kernels this machine can run, fastest first; never empty, the last is portable C. */
size_t hf_kernels(const hf_kernel *const **list);

extern const hf_kernel hf_portable;
#if defined(__x86_64__) || defined(_M_X64)
#define HF_X86 1
extern const hf_kernel hf_shani_avx512;
extern const hf_kernel hf_shani;
extern const hf_kernel hf_shani_sse;
extern const hf_kernel hf_avx2;
#endif
#if defined(__aarch64__)
#define HF_ARM 1
extern const hf_kernel hf_armv8;
#endif

static inline uint32_t hf_load32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}
static inline void hf_store32(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)(v >> 24);
  p[1] = (uint8_t)(v >> 16);
  p[2] = (uint8_t)(v >> 8);
  p[3] = (uint8_t)v;
}

/* Round constants plus the message schedule of the block that closes a message of `size` bytes when
 * `size` is a multiple of 64: the same for every such message. */
void hf_padding_schedule(size_t size, uint32_t kw[64]);
/* The last one or two blocks of a message: its `rest` bytes beyond whole blocks, then the padding.
 * Returns the number of blocks written. */
size_t hf_padding_blocks(const uint8_t *rest, size_t size, uint8_t out[2 * HF_BLOCK]);

/* Fr32 in portable C, and for processors with AVX2. */
void hf_fr32(const uint8_t *in, size_t quads, uint8_t *out);
#ifdef HF_X86
void hf_fr32_avx2(const uint8_t *in, size_t quads, uint8_t *out);
#endif

/* Masks the last byte of `count` digests: what `pairs` ends with where it has no faster way. */
static inline void hf_mask_top(uint8_t *digests, size_t count, uint8_t top) {
  if (top == 0xff) return;
  for (size_t i = 0; i < count; i++) digests[i * HF_NODE + HF_NODE - 1] &= top;
}

/* keccak-256 (Ethereum's) of `count` messages of `size` bytes, one after another; 32 bytes out for each. No
 * overlap. */
void hf_keccak(const uint8_t *in, size_t size, size_t count, uint8_t *out);

/* CRC-32C (Castagnoli). `seed` is the value of what came before, 0 at the start. */
uint32_t hf_crc32c(uint32_t seed, const uint8_t *in, size_t length);
uint32_t hf_crc32c_portable(uint32_t seed, const uint8_t *in, size_t length);

/* 1 = sha256-1k: a leaf is the hash of 1024 bytes. 2 = commp: four leaves are 127 bytes in Fr32. */
typedef enum { HF_SHA256_1K = 1, HF_COMMP = 2 } hf_scheme;

/* Where payload bytes come from: fills `tile` with `length` bytes that lie `offset` bytes into the
 * run. Returns 0, or an errno. May instead point `*tile` at memory it owns. */
typedef struct hf_source {
  int (*read)(struct hf_source *source, uint64_t offset, size_t length, const uint8_t **tile);
  void *state;
} hf_source;

/* The node at `level` over `length` payload bytes (1 to unit << level), missing leaves zero. When
 * `kept` is not NULL it receives the nodes of `kept_level` that hold at least one payload byte.
 * Returns 0, ENOMEM, or what the source returned. */
int hf_subtree(const hf_kernel *kernel, hf_scheme scheme, hf_source *source, uint64_t length,
               unsigned level, unsigned kept_level, uint8_t *kept, uint8_t root[HF_NODE]);
/* The node over nodes: `count` nodes of level `from`, completed with zero nodes, up to `to`, in
 * place. The buffer must have room for one node more when `count` is odd. Returns how many remain. */
size_t hf_reduce(const hf_kernel *kernel, hf_scheme scheme, uint8_t *nodes, size_t count,
                 unsigned from, unsigned to);
/* Every level over `count` nodes of level `from` up to the single node of `to`, lowest first; odd levels
 * below the top are completed with a zero node. */
void hf_tower(const hf_kernel *kernel, hf_scheme scheme, const uint8_t *nodes, size_t count, unsigned from,
              unsigned to, uint8_t *out);
/* How many nodes of `level` hold at least one of `length` payload bytes. */
uint64_t hf_nodes_at(hf_scheme scheme, uint64_t length, unsigned level);
/* The most payload bytes under one node of `level`; UINT64_MAX when that passes 2^63. */
uint64_t hf_capacity(hf_scheme scheme, unsigned level);
/* The node over no leaf at all. */
const uint8_t *hf_zero_node(hf_scheme scheme, unsigned level);
/* A run of bytes in a file. */
typedef struct {
  int fd;
  uint64_t offset, length;
} hf_run;

/* Bytes that are wanted, and where they go. */
typedef struct {
  int fd;
  uint64_t offset;
  size_t length;
  uint8_t *into;
} hf_wanted;

/* What leaves are opened of. */
typedef struct {
  hf_scheme scheme;
  unsigned depth;                /* levels of the tree above its leaves */
  hf_run payload, layers;
  const uint8_t *root;
  /* Reads everything; 0, or -1 when something could not be read whole. */
  int (*read)(const hf_wanted *wanted, size_t count);
} hf_opening;

/* Opens `count` leaves, each below the payload's last: leaf, then `depth` siblings, one opening after
 * another. Returns -1, or the place in `indices` of the first that could not be opened (or before
 * which the reads of its portion failed). Indices in payload order are faster. */
int64_t hf_open(const hf_kernel *kernel, const hf_opening *what, const uint64_t *indices, size_t count,
                uint8_t *out);
/* Must run once before any tree is built; repeated calls do nothing. */
void hf_tree_init(void);
void hf_crc32c_init(void);

/* Memory that this thread keeps for one use, always of the same size; NULL when there is none. */
typedef enum { HF_SCRATCH_TREE, HF_SCRATCH_OPEN, HF_SCRATCH_USES } hf_scratch_use;
void *hf_scratch(hf_scratch_use use, size_t size);

#endif
