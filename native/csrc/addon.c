/*
 * The Node-API binding: takes views, checks every length against what the kernels will touch, and
 * calls them. A wrong argument throws a RangeError or TypeError and touches nothing. Views may lie
 * on shared memory; bytes that another thread changes meanwhile give a wrong digest, never a fault.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* preadv2, SEEK_DATA, sync_file_range */
#endif
#include "kernel.h"

#include <errno.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>

#if !defined(_WIN32)
#define HF_FILES 1
#include <fcntl.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#endif
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#define HF_BTRFS 0x9123683E /* BTRFS_SUPER_MAGIC */
#endif

typedef struct {
  uint8_t *data;
  size_t length;
} view;

static napi_value refuse(napi_env env, const char *sentence) {
  napi_throw_range_error(env, NULL, sentence);
  return NULL;
}

static int arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values) {
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count != wanted) {
    napi_throw_type_error(env, NULL, "holdfast native: wrong number of arguments");
    return 0;
  }
  return 1;
}

static int bytes_of(napi_env env, napi_value value, view *out) {
  napi_typedarray_type type;
  void *data = NULL;
  bool is = false;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is ||
      napi_get_typedarray_info(env, value, &type, &out->length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    napi_throw_type_error(env, NULL, "holdfast native: expected a Uint8Array");
    return 0;
  }
  out->data = data;
  return 1;
}

/* A whole number from 0 to `most`. */
static int whole_of(napi_env env, napi_value value, double most, uint64_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    napi_throw_type_error(env, NULL, "holdfast native: expected a number");
    return 0;
  }
  if (!(number >= 0 && number <= most) || number != (double)(uint64_t)number) {
    napi_throw_range_error(env, NULL, "holdfast native: number out of range");
    return 0;
  }
  *out = (uint64_t)number;
  return 1;
}

#define SAFE 9007199254740991.0

static const hf_kernel *kernel_of(napi_env env, napi_value value) {
  const hf_kernel *const *list;
  uint64_t index;
  if (!whole_of(env, value, (double)(hf_kernels(&list) - 1), &index)) return NULL;
  return list[index];
}

static int overlap(view a, view b) {
  return a.length > 0 && b.length > 0 && a.data < b.data + b.length && b.data < a.data + a.length;
}

/* Equal messages: input, size, output. */
static int messages_of(napi_env env, const napi_value arg[3], view *in, size_t *size, view *out) {
  uint64_t width;
  if (!bytes_of(env, arg[0], in) || !whole_of(env, arg[1], SAFE, &width) || !bytes_of(env, arg[2], out)) return 0;
  if (width == 0 || in->length % width != 0) return refuse(env, "holdfast native: input is not whole messages"), 0;
  if (out->length / HF_NODE != in->length / width || out->length % HF_NODE != 0) {
    return refuse(env, "holdfast native: output is not 32 bytes per message"), 0;
  }
  if (overlap(*in, *out)) return refuse(env, "holdfast native: output overlaps input"), 0;
  *size = (size_t)width;
  return 1;
}

/* messages(kernel, input, size, output) */
static napi_value messages(napi_env env, napi_callback_info info) {
  napi_value arg[4];
  view in, out;
  size_t size;
  const hf_kernel *kernel;
  if (!arguments(env, info, 4, arg) || !(kernel = kernel_of(env, arg[0])) || !messages_of(env, arg + 1, &in, &size, &out)) {
    return NULL;
  }
  kernel->messages(in.data, size, in.length / size, out.data);
  return NULL;
}

/* keccak(input, size, output) */
static napi_value keccak(napi_env env, napi_callback_info info) {
  napi_value arg[3];
  view in, out;
  size_t size;
  if (!arguments(env, info, 3, arg) || !messages_of(env, arg, &in, &size, &out)) return NULL;
  hf_keccak(in.data, size, in.length / size, out.data);
  return NULL;
}

static napi_value pairs_with(napi_env env, napi_callback_info info, uint8_t top) {
  napi_value arg[3];
  view in, out;
  const hf_kernel *kernel;
  if (!arguments(env, info, 3, arg) || !(kernel = kernel_of(env, arg[0])) || !bytes_of(env, arg[1], &in) ||
      !bytes_of(env, arg[2], &out)) {
    return NULL;
  }
  if (in.length % HF_BLOCK != 0) return refuse(env, "holdfast native: input is not whole pairs");
  size_t count = in.length / HF_BLOCK;
  if (out.length != count * HF_NODE) return refuse(env, "holdfast native: output is not 32 bytes per pair");
  if (overlap(in, out) && out.data != in.data) {
    return refuse(env, "holdfast native: output overlaps input elsewhere than at its start");
  }
  kernel->pairs(in.data, count, top, out.data);
  return NULL;
}

/* pairs(kernel, input, output), pairs254(kernel, input, output) */
static napi_value pairs(napi_env env, napi_callback_info info) { return pairs_with(env, info, 0xff); }
static napi_value pairs254(napi_env env, napi_callback_info info) { return pairs_with(env, info, HF_TRUNC254); }

/* fr32(kernel, input, output) */
static napi_value fr32(napi_env env, napi_callback_info info) {
  napi_value arg[3];
  view in, out;
  const hf_kernel *kernel;
  if (!arguments(env, info, 3, arg) || !(kernel = kernel_of(env, arg[0])) || !bytes_of(env, arg[1], &in) ||
      !bytes_of(env, arg[2], &out)) {
    return NULL;
  }
  if (in.length % 127 != 0) return refuse(env, "holdfast native: input is not a multiple of 127 bytes");
  if (out.length != in.length / 127 * 128) return refuse(env, "holdfast native: output is not 128 bytes per 127");
  if (overlap(in, out)) return refuse(env, "holdfast native: output overlaps input");
  kernel->fr32(in.data, in.length / 127, out.data);
  return NULL;
}

/* crc32c(seed, input) */
static napi_value crc32c(napi_env env, napi_callback_info info) {
  napi_value arg[2], result;
  view in;
  uint64_t seed;
  if (!arguments(env, info, 2, arg) || !whole_of(env, arg[0], 4294967295.0, &seed) || !bytes_of(env, arg[1], &in)) {
    return NULL;
  }
  if (napi_create_uint32(env, hf_crc32c((uint32_t)seed, in.data, in.length), &result) != napi_ok) return NULL;
  return result;
}

typedef struct {
  uint64_t scheme, level, kept_level;
  view kept, root;
} shape;

/* The arguments that every subtree call ends with: scheme, level, keptLevel, kept, root. */
static int shape_of(napi_env env, const napi_value *arg, uint64_t length, shape *s) {
  if (!whole_of(env, arg[0], 2, &s->scheme) || !whole_of(env, arg[1], 49, &s->level) ||
      !whole_of(env, arg[2], 49, &s->kept_level) || !bytes_of(env, arg[3], &s->kept) ||
      !bytes_of(env, arg[4], &s->root)) {
    return 0;
  }
  if (s->scheme == 0) return refuse(env, "holdfast native: unknown scheme"), 0;
  hf_scheme scheme = (hf_scheme)s->scheme;
  unsigned tile = scheme == HF_SHA256_1K ? 6 : 11, least = scheme == HF_SHA256_1K ? 0 : 2;
  if (s->kept_level > tile || s->level < least) return refuse(env, "holdfast native: level out of range"), 0;
  if (length == 0 || length > hf_capacity(scheme, (unsigned)s->level)) {
    return refuse(env, "holdfast native: payload does not fit the subtree"), 0;
  }
  if (s->root.length != HF_NODE) return refuse(env, "holdfast native: root is not 32 bytes"), 0;
  if (s->kept.length > 0) {
    if (s->kept_level > s->level) return refuse(env, "holdfast native: kept level above the root"), 0;
    if (s->kept.length % HF_NODE != 0 ||
        s->kept.length / HF_NODE != hf_nodes_at(scheme, length, (unsigned)s->kept_level)) {
      return refuse(env, "holdfast native: kept nodes do not fit their output"), 0;
    }
  }
  return 1;
}

/* tower(kernel, nodes, scheme, from, to, output): every level of the tree over `nodes`, lowest first, an
 * odd level below the top completed with a zero node. */
static napi_value tower(napi_env env, napi_callback_info info) {
  napi_value arg[6];
  view in, out;
  uint64_t scheme, from, to;
  const hf_kernel *kernel;
  if (!arguments(env, info, 6, arg) || !(kernel = kernel_of(env, arg[0])) || !bytes_of(env, arg[1], &in) ||
      !whole_of(env, arg[2], 2, &scheme) || !whole_of(env, arg[3], 49, &from) || !whole_of(env, arg[4], 49, &to) ||
      !bytes_of(env, arg[5], &out)) {
    return NULL;
  }
  if (scheme == 0) return refuse(env, "holdfast native: unknown scheme");
  if (from > to || in.length == 0 || in.length % HF_NODE != 0) return refuse(env, "holdfast native: no tree over that");
  uint64_t count = in.length / HF_NODE;
  if (count > (uint64_t)1 << (to - from)) return refuse(env, "holdfast native: nodes do not fit under one");
  size_t total = 0;
  for (uint64_t level = from; level < to; level++) {
    count += count % 2;
    total += (size_t)count * HF_NODE;
    count /= 2;
  }
  if (out.length != total + HF_NODE) return refuse(env, "holdfast native: output is not as long as the levels");
  if (overlap(in, out)) return refuse(env, "holdfast native: output overlaps input");
  hf_tower(kernel, (hf_scheme)scheme, in.data, in.length / HF_NODE, (unsigned)from, (unsigned)to, out.data);
  return NULL;
}

static int from_memory(hf_source *source, uint64_t offset, size_t length, const uint8_t **tile) {
  (void)length;
  *tile = (const uint8_t *)source->state + offset;
  return 0;
}

/* subtree(kernel, input, scheme, level, keptLevel, kept, root) */
static napi_value subtree(napi_env env, napi_callback_info info) {
  napi_value arg[7];
  view in;
  shape s;
  const hf_kernel *kernel;
  if (!arguments(env, info, 7, arg) || !(kernel = kernel_of(env, arg[0])) || !bytes_of(env, arg[1], &in) ||
      !shape_of(env, arg + 2, in.length, &s)) {
    return NULL;
  }
  hf_source source = {from_memory, in.data};
  int failed = hf_subtree(kernel, (hf_scheme)s.scheme, &source, in.length, (unsigned)s.level, (unsigned)s.kept_level,
                          s.kept.length > 0 ? s.kept.data : NULL, s.root.data);
  if (failed) napi_throw_error(env, "ENOMEM", "holdfast native: out of memory");
  return NULL;
}

#ifdef HF_FILES
typedef struct {
  int fd;
  uint64_t offset;
  const volatile int32_t *cancel;
} file;

static int from_file(hf_source *source, uint64_t offset, size_t length, const uint8_t **tile) {
  file *f = source->state;
  uint8_t *into = (uint8_t *)(uintptr_t)*tile;
  size_t have = 0;
  if (f->cancel != NULL && *f->cancel != 0) return ECANCELED;
  while (have < length) {
    ssize_t got = pread(f->fd, into + have, length - have, (off_t)(f->offset + offset + have));
    if (got > 0) have += (size_t)got;
    else if (got == 0) return ENODATA;
    else if (errno != EINTR) return errno;
  }
  return 0;
}

/* fileSubtree(kernel, fd, offset, length, cancel, scheme, level, keptLevel, kept, root): 0 or an errno.
 * `cancel` is empty or a Uint8Array whose first four bytes stop the work when they become non-zero. */
static napi_value file_subtree(napi_env env, napi_callback_info info) {
  napi_value arg[10], result;
  uint64_t fd, offset, length;
  view cancel;
  shape s;
  const hf_kernel *kernel;
  if (!arguments(env, info, 10, arg) || !(kernel = kernel_of(env, arg[0])) || !whole_of(env, arg[1], 2147483647.0, &fd) ||
      !whole_of(env, arg[2], SAFE, &offset) || !whole_of(env, arg[3], SAFE, &length) ||
      !bytes_of(env, arg[4], &cancel) || !shape_of(env, arg + 5, length, &s)) {
    return NULL;
  }
  if (cancel.length != 0 && (cancel.length < 4 || (uintptr_t)cancel.data % 4 != 0)) {
    return refuse(env, "holdfast native: cancel flag is not four aligned bytes");
  }
  file f = {(int)fd, offset, cancel.length > 0 ? (const volatile int32_t *)(const void *)cancel.data : NULL};
  hf_source source = {from_file, &f};
  int failed = hf_subtree(kernel, (hf_scheme)s.scheme, &source, length, (unsigned)s.level, (unsigned)s.kept_level,
                          s.kept.length > 0 ? s.kept.data : NULL, s.root.data);
  if (napi_create_int32(env, failed, &result) != napi_ok) return NULL;
  return result;
}

/* All `length` bytes at `offset`, or fewer at the end of the file; -errno on failure. */
static int64_t read_fully(int fd, uint64_t offset, uint8_t *into, size_t length) {
  size_t have = 0;
  while (have < length) {
    ssize_t got = pread(fd, into + have, length - have, (off_t)(offset + have));
    if (got == 0) break;
    if (got > 0) have += (size_t)got;
    else if (errno != EINTR) return -errno;
  }
  return (int64_t)have;
}

/* readFile(fd, offset, output): bytes read; a short count means the end of the file. -errno on failure. */
static napi_value read_file(napi_env env, napi_callback_info info) {
  napi_value arg[3], result;
  uint64_t fd, offset;
  view out;
  if (!arguments(env, info, 3, arg) || !whole_of(env, arg[0], 2147483647.0, &fd) ||
      !whole_of(env, arg[1], SAFE, &offset) || !bytes_of(env, arg[2], &out)) {
    return NULL;
  }
  if (napi_create_int64(env, read_fully((int)fd, offset, out.data, out.length), &result) != napi_ok) return NULL;
  return result;
}

/* One wanted run of bytes, as JavaScript hands it over: three doubles. */
typedef struct {
  double fd, offset, length;
} wanted;

static int sound(const wanted *w) {
  return w->fd >= 0 && w->fd <= 2147483647.0 && w->fd == (double)(int)w->fd && w->offset >= 0 &&
         w->offset <= SAFE && w->offset == (double)(uint64_t)w->offset && w->length >= 0 && w->length <= 1073741824.0 &&
         w->length == (double)(uint64_t)w->length;
}

/* True when the run was in memory and is read; else it has been asked for, to be read later. */
static int read_if_present(const wanted *w, uint8_t *into) {
#if defined(__linux__) && defined(RWF_NOWAIT)
  struct iovec run = {into, (size_t)w->length};
  if (preadv2((int)w->fd, &run, 1, (off_t)w->offset, RWF_NOWAIT) == (ssize_t)run.iov_len) return 1;
#else
  (void)into;
#endif
#if defined(POSIX_FADV_WILLNEED)
  (void)posix_fadvise((int)w->fd, (off_t)w->offset, (off_t)w->length, POSIX_FADV_WILLNEED);
#endif
  return 0;
}

/* readMany(wanted, output, got): `wanted` holds fd, offset, length for each run; the runs are written one
 * after another; `got` receives for each the bytes read or -errno. What is not in memory is asked for
 * before the first of it is waited for, so that cold reads overlap. */
static napi_value read_many(napi_env env, napi_callback_info info) {
  napi_value arg[3];
  napi_typedarray_type type;
  size_t numbers, results;
  void *runs, *counts;
  view out;
  if (!arguments(env, info, 3, arg) || !bytes_of(env, arg[1], &out)) return NULL;
  if (napi_get_typedarray_info(env, arg[0], &type, &numbers, &runs, NULL, NULL) != napi_ok || type != napi_float64_array ||
      napi_get_typedarray_info(env, arg[2], &type, &results, &counts, NULL, NULL) != napi_ok || type != napi_int32_array) {
    napi_throw_type_error(env, NULL, "holdfast native: expected a Float64Array and an Int32Array");
    return NULL;
  }
  const wanted *w = runs;
  int32_t *got = counts;
  uint64_t total = 0;
  if (numbers % 3 != 0 || results != numbers / 3) return refuse(env, "holdfast native: one result per run");
  for (size_t i = 0; i < results; i++) {
    if (!sound(w + i)) return refuse(env, "holdfast native: number out of range");
    total += (uint64_t)w[i].length;
  }
  if (total != out.length) return refuse(env, "holdfast native: output is not as long as the runs together");
  uint8_t *into = out.data;
  for (size_t i = 0; i < results; into += (size_t)w[i].length, i++) {
    got[i] = read_if_present(w + i, into) ? (int32_t)w[i].length : INT32_MIN;
  }
  into = out.data;
  for (size_t i = 0; i < results; into += (size_t)w[i].length, i++) {
    if (got[i] == INT32_MIN) {
      got[i] = (int32_t)read_fully((int)w[i].fd, (uint64_t)w[i].offset, into, (size_t)w[i].length);
    }
  }
  return NULL;
}

static int read_wanted(const hf_wanted *w, size_t count) {
  size_t absent = 0;
  int failed = 0;
  uint8_t later[512] = {0};
  if (count > sizeof later) return -1;
  for (size_t i = 0; i < count; i++) {
    wanted run = {w[i].fd, (double)w[i].offset, (double)w[i].length};
    later[i] = !read_if_present(&run, w[i].into);
    absent += later[i];
  }
  for (size_t i = 0; absent > 0 && i < count; i++) {
    if (later[i] && read_fully(w[i].fd, w[i].offset, w[i].into, w[i].length) != (int64_t)w[i].length) failed = -1;
  }
  return failed;
}

/* open(kernel, scheme, depth, runs, root, indices, output): -1, or which opening failed first. `runs` holds
 * fd, offset, length of the payload, then of the layers; `indices` are doubles. */
static napi_value open_leaves(napi_env env, napi_callback_info info) {
  napi_value arg[7], result;
  napi_typedarray_type type;
  size_t numbers, count;
  void *runs, *places;
  view root, out;
  uint64_t scheme, depth;
  const hf_kernel *kernel;
  if (!arguments(env, info, 7, arg) || !(kernel = kernel_of(env, arg[0])) || !whole_of(env, arg[1], 2, &scheme) ||
      !whole_of(env, arg[2], 49, &depth) || !bytes_of(env, arg[4], &root) || !bytes_of(env, arg[6], &out)) {
    return NULL;
  }
  if (napi_get_typedarray_info(env, arg[3], &type, &numbers, &runs, NULL, NULL) != napi_ok || type != napi_float64_array ||
      napi_get_typedarray_info(env, arg[5], &type, &count, &places, NULL, NULL) != napi_ok || type != napi_float64_array) {
    napi_throw_type_error(env, NULL, "holdfast native: expected Float64Arrays");
    return NULL;
  }
  if (scheme == 0 || numbers != 6 || root.length != HF_NODE) return refuse(env, "holdfast native: unknown opening");
  hf_opening what = {.scheme = (hf_scheme)scheme, .depth = (unsigned)depth, .root = root.data, .read = read_wanted};
  hf_run *files[2] = {&what.payload, &what.layers};
  for (int i = 0; i < 2; i++) {
    const double *r = (const double *)runs + 3 * i;
    if (!(r[0] >= -1 && r[0] <= 2147483647.0) || !(r[1] >= 0 && r[1] <= SAFE) || !(r[2] >= 0 && r[2] <= SAFE)) {
      return refuse(env, "holdfast native: number out of range");
    }
    *files[i] = (hf_run){(int)r[0], (uint64_t)r[1], (uint64_t)r[2]};
  }
  uint64_t leaves = hf_nodes_at(what.scheme, what.payload.length, 0);
  unsigned need = what.scheme == HF_SHA256_1K ? 0 : 2;
  while ((uint64_t)1 << need < leaves) need++;
  if (leaves == 0 || depth != need) return refuse(env, "holdfast native: depth does not fit the payload");
  size_t size = (what.scheme == HF_SHA256_1K ? 1024 : HF_NODE) + (size_t)depth * HF_NODE;
  if (out.length != count * size) return refuse(env, "holdfast native: output is not as long as the openings");
  uint64_t *indices = malloc(count ? count * sizeof *indices : 1);
  if (indices == NULL) return refuse(env, "holdfast native: out of memory");
  for (size_t i = 0; i < count; i++) {
    double place = ((const double *)places)[i];
    indices[i] = place >= 0 && place < (double)leaves ? (uint64_t)place : leaves;
    if (indices[i] == leaves) {
      free(indices);
      return refuse(env, "holdfast native: the payload has no such leaf");
    }
  }
  int64_t wrong = hf_open(kernel, &what, indices, count, out.data);
  free(indices);
  if (napi_create_int64(env, wrong, &result) != napi_ok) return NULL;
  return result;
}

/* forget(fd): drops the clean pages of a file from the system's cache, for measuring cold reads. */
static napi_value forget(napi_env env, napi_callback_info info) {
  napi_value arg[1];
  uint64_t fd;
  if (!arguments(env, info, 1, arg) || !whole_of(env, arg[0], 2147483647.0, &fd)) return NULL;
#if defined(POSIX_FADV_DONTNEED)
  (void)posix_fadvise((int)fd, 0, 0, POSIX_FADV_DONTNEED);
#endif
  return NULL;
}

/* nextData(fd, offset): where the next byte that is not in a hole lies, -1 when none follows, -2 unknown. */
static napi_value next_data(napi_env env, napi_callback_info info) {
  napi_value arg[2], result;
  uint64_t fd, offset;
  int64_t found = -2;
  if (!arguments(env, info, 2, arg) || !whole_of(env, arg[0], 2147483647.0, &fd) ||
      !whole_of(env, arg[1], SAFE, &offset)) {
    return NULL;
  }
#if defined(SEEK_DATA)
  off_t at = lseek((int)fd, (off_t)offset, SEEK_DATA);
  if (at >= 0) found = (int64_t)at;
  else if (errno == ENXIO) found = -1;
#endif
  if (napi_create_int64(env, found, &result) != napi_ok) return NULL;
  return result;
}

/* startWriting(fd, offset, length): asks the system to begin bringing these bytes of a file to its disk. Makes
 * nothing durable; what goes wrong is said by the sync that follows. Where there is no such call: nothing. */
static napi_value start_writing(napi_env env, napi_callback_info info) {
  napi_value arg[3];
  uint64_t fd, offset, length;
  if (!arguments(env, info, 3, arg) || !whole_of(env, arg[0], 2147483647.0, &fd) ||
      !whole_of(env, arg[1], SAFE, &offset) || !whole_of(env, arg[2], SAFE, &length)) {
    return NULL;
  }
#if defined(SYNC_FILE_RANGE_WRITE)
  /* A length of 0 would mean "to the end of the file". */
  if (length > 0) (void)sync_file_range((int)fd, (off_t)offset, (off_t)length, SYNC_FILE_RANGE_WRITE);
#endif
  return NULL;
}

/* overwriteInPlace(fd): asks btrfs never to move the bytes of this empty file elsewhere when they are written over
 * (FS_NOCOW_FL), so that this needs no room. Other file systems are not asked. Returns whether it holds now. */
static napi_value overwrite_in_place(napi_env env, napi_callback_info info) {
  napi_value arg[1], result;
  uint64_t fd;
  bool holds = false;
  if (!arguments(env, info, 1, arg) || !whole_of(env, arg[0], 2147483647.0, &fd)) return NULL;
#if defined(__linux__) && defined(FS_NOCOW_FL)
  struct statfs system;
  int flags = 0;
  if (fstatfs((int)fd, &system) == 0 && (uint32_t)system.f_type == HF_BTRFS && ioctl((int)fd, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_NOCOW_FL;
    /* For a file that has bytes already it says yes and does nothing. */
    holds = ioctl((int)fd, FS_IOC_SETFLAGS, &flags) == 0 && ioctl((int)fd, FS_IOC_GETFLAGS, &flags) == 0 &&
            (flags & FS_NOCOW_FL) != 0;
  }
#endif
  if (napi_get_boolean(env, holds, &result) != napi_ok) return NULL;
  return result;
}

/* lockFile(fd): takes the lock of an open file for whoever holds the descriptor, until it is closed, also by a crash.
 * Returns 0; -1 when somebody else has it, who may be of this process; or an error's number. */
static napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value arg[1], result;
  uint64_t fd;
  if (!arguments(env, info, 1, arg) || !whole_of(env, arg[0], 2147483647.0, &fd)) return NULL;
  const int taken = flock((int)fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  if (napi_create_int32(env, taken == EWOULDBLOCK ? -1 : taken, &result) != napi_ok) return NULL;
  return result;
}

/* threadCpu(): seconds this thread has spent on a processor. */
static napi_value thread_cpu(napi_env env, napi_callback_info info) {
  napi_value result;
  struct timespec t = {0, 0};
  (void)info;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  if (napi_create_double(env, (double)t.tv_sec + (double)t.tv_nsec * 1e-9, &result) != napi_ok) return NULL;
  return result;
}
#endif

__attribute__((constructor)) static void prepare(void) {
  hf_crc32c_init();
  hf_tree_init();
  const hf_kernel *const *list;
  (void)hf_kernels(&list);
}

static int export(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

static int export_kernels(napi_env env, napi_value exports) {
  const hf_kernel *const *list;
  size_t count = hf_kernels(&list);
  napi_value names, name;
  if (napi_create_array(env, &names) != napi_ok) return 0;
  for (size_t i = 0; i < count; i++) {
    if (napi_create_string_utf8(env, list[i]->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_set_element(env, names, (uint32_t)i, name) != napi_ok) {
      return 0;
    }
  }
  return napi_set_named_property(env, exports, "kernels", names) == napi_ok;
}

NAPI_MODULE_INIT() {
  int good = export_kernels(env, exports) && export(env, exports, "messages", messages) &&
             export(env, exports, "pairs", pairs) && export(env, exports, "pairs254", pairs254) &&
             export(env, exports, "fr32", fr32) && export(env, exports, "keccak", keccak) && export(env, exports, "crc32c", crc32c) &&
             export(env, exports, "subtree", subtree) && export(env, exports, "tower", tower);
#ifdef HF_FILES
  good = good && export(env, exports, "fileSubtree", file_subtree) && export(env, exports, "readFile", read_file) &&
         export(env, exports, "readMany", read_many) && export(env, exports, "open", open_leaves) && export(env, exports, "forget", forget) &&
         export(env, exports, "nextData", next_data) && export(env, exports, "startWriting", start_writing) &&
         export(env, exports, "overwriteInPlace", overwrite_in_place) &&
         export(env, exports, "lockFile", lock_file) &&
         export(env, exports, "threadCpu", thread_cpu);
#endif
  if (!good) napi_throw_error(env, NULL, "holdfast native: cannot set up the module");
  return exports;
}
