/**
 * Runs asynchronous work over an iterable, a bounded number at a time. After the first failure
 * nothing more is started; it is thrown when everything that was started has ended.
 */

export const runBounded = async <T>(
  limit: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const iterator = items[Symbol.iterator]()
  const failures: unknown[] = []
  const drain = async (): Promise<void> => {
    for (;;) {
      if (failures.length > 0) return
      const next = iterator.next()
      if (next.done) return
      try {
        await work(next.value)
      } catch (cause) {
        failures.push(cause)
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, drain))
  if (failures.length > 0) throw failures[0]
}
