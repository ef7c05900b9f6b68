/*
 * Working memory that a thread keeps between calls: taken from the system once per thread and use, and
 * given back when the thread ends. Memory of this size would otherwise be mapped, cleared and unmapped
 * for every call, which costs more than hashing a small payload.
 */
#include "kernel.h"

#include <stdlib.h>

#if !defined(_WIN32)
#include <pthread.h>

static pthread_key_t keys[HF_SCRATCH_USES];
static int keyed;

__attribute__((constructor)) static void prepare(void) {
  keyed = 1;
  for (int use = 0; use < HF_SCRATCH_USES; use++) {
    if (pthread_key_create(&keys[use], free) != 0) keyed = 0;
  }
}

void *hf_scratch(hf_scratch_use use, size_t size) {
  if (!keyed) return NULL;
  void *memory = pthread_getspecific(keys[use]);
  if (memory != NULL) return memory;
  memory = malloc(size);
  if (memory != NULL && pthread_setspecific(keys[use], memory) != 0) {
    free(memory);
    memory = NULL;
  }
  return memory;
}
#else
/* Threads of this process live as long as it does: what they hold is never given back. */
void *hf_scratch(hf_scratch_use use, size_t size) {
  static _Thread_local void *held[HF_SCRATCH_USES];
  if (held[use] == NULL) held[use] = malloc(size);
  return held[use];
}
#endif
