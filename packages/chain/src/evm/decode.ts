/**
 * What a call failed with, as our error, by the map of reverts.ts. Transport failures are not this
 * file's business (client.ts).
 */
import { type Hex, HoldfastError, type HoldfastErrorDetail } from '@holdfast/protocol'
import { BaseError, decodeErrorResult, RawContractError } from 'viem'
import { contractErrorsAbi } from '../generated/contracts.ts'
import { type Args, named, REVERTS } from './reverts.ts'

/** Revert data as our error. Data that no error of ours explains are `TX_REVERTED`, in hex. */
export const decodeRevert = (data: Hex): HoldfastErrorDetail => {
  if (data === '0x') return { code: 'TX_REVERTED', error: 'NoReason', args: [] }
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi: contractErrorsAbi, data })
    const entry = REVERTS[errorName] ?? named(errorName)
    return entry(args as Args)
  } catch {
    return { code: 'TX_REVERTED', error: 'Unknown', args: [data.slice(0, 1024)] }
  }
}

/** The data a node attached to a refused call, wherever it put them. */
const revertDataIn = (error: BaseError): Hex | undefined => {
  const raw = error.walk((cause) => cause instanceof RawContractError)
  const candidates: unknown[] = raw instanceof RawContractError ? [raw.data] : []
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    candidates.push((cause as { data?: unknown }).data)
  }
  for (const candidate of candidates) {
    const data = (candidate as { data?: unknown } | undefined)?.data ?? candidate
    if (typeof data === 'string' && /^0x(?:[0-9a-fA-F]{2})*$/.test(data)) return data as Hex
  }
  return undefined
}

/**
 * What a call failed with, as our error; ours pass as they are. The client's own error is left
 * behind: it repeats the whole request, which may be a contract's code, and says nothing more.
 */
export const decodeFailure = (failure: unknown): HoldfastError => {
  if (HoldfastError.is(failure)) return failure
  if (!(failure instanceof BaseError)) {
    const args = [failure instanceof Error ? failure.message : String(failure)]
    return new HoldfastError({ code: 'TX_REVERTED', error: 'Unknown', args }, { cause: failure })
  }
  const data = revertDataIn(failure)
  if (data !== undefined) return new HoldfastError(decodeRevert(data))
  const words = [failure.shortMessage, failure.details].map((part) => part.slice(0, 500))
  const args = words.filter((part) => part !== '')
  return new HoldfastError({ code: 'TX_REVERTED', error: 'Refused', args })
}
