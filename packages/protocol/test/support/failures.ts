/**
 * Expecting one error code and nothing else: an error of any other kind fails the test.
 */
import { expect } from '@jest/globals'
import type { HoldfastErrorCode } from '../../src/error-codes.ts'
import { HoldfastError } from '../../src/errors.ts'

/** The error that `work` throws; fails when it throws nothing or something else. */
export const failure = (work: () => unknown): HoldfastError => {
  try {
    work()
  } catch (error) {
    if (!HoldfastError.is(error)) throw error
    return error
  }
  throw new Error('expected a HoldfastError, but nothing was thrown')
}

export const expectCode = (code: HoldfastErrorCode, work: () => unknown): HoldfastError => {
  const error = failure(work)
  expect(error.code).toBe(code)
  return error
}
