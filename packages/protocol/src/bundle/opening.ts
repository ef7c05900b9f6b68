/**
 * An opened entry as bytes, the form in which the contracts take it:
 * index 8 ‖ count 8 ‖ path, ceil(log2(count)) siblings of 32 ‖ answer, to the end.
 * Source: docs/spec/bundles.md. Twin: contracts/src/libraries/Bundle.sol.
 */
import { concatBytes, uintBytes } from '../bytes.ts'
import type { BundleOpening } from './verify.ts'

/** @throws HoldfastError `UNIT_INVALID` when index or count do not fit 64 bits. */
export const encodeBundleOpening = ({ index, count, path, answer }: BundleOpening): Uint8Array =>
  concatBytes(uintBytes(index, 8), uintBytes(count, 8), path, answer)
