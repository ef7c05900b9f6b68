/**
 * Errors of Node and of libraries, read by shape: `instanceof Error` is false across realms (worker
 * threads, test runners), so nothing here relies on it.
 */

/** `ENOENT` and the like. */
export const errorCode = (error: unknown): string | undefined => {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

export const errorMessage = (error: unknown): string => {
  const message = (error as { readonly message?: unknown } | null | undefined)?.message
  return typeof message === 'string' ? message : String(error)
}
