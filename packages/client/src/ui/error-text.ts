/** An error as a sentence for people; codes and fields stay in the JSON form beside it. */
import type { HoldfastError, HoldfastErrorDetail } from '@holdfast/protocol'
import { printable } from './text.ts'

const sentence = (detail: HoldfastErrorDetail): string | undefined => {
  switch (detail.code) {
    case 'USAGE':
    case 'PARTIAL':
    case 'DECLINED':
    case 'NOTHING_TO_DO':
      return detail.reason
    case 'FILE_NOT_FOUND':
      return `${detail.path} does not exist`
    case 'INPUT_UNREADABLE':
    case 'CONFIG_INVALID':
    case 'KEYSTORE_INVALID':
      return `${detail.path}: ${detail.reason}`
    case 'PASSPHRASE_WRONG':
      return `the passphrase does not open ${detail.path}`
    case 'PATH_NOT_FOUND':
      return `the dataset has no ${detail.path}`
    case 'DATASET_NOT_FOUND':
      return `no deal on this network names dataset ${detail.dataset}`
    case 'RANGE_INVALID':
      return `range ${detail.reason}`
    case 'TIMED_OUT':
      return `gave up waiting for ${detail.what} after ${Math.round(detail.afterMs / 1000)} s`
    case 'REPLICAS_EXHAUSTED':
      return `no replica of ${detail.dataset} could be read; tried ${detail.tried.join(', ')}`
    case 'PEER_UNREACHABLE':
    case 'PEER_MISBEHAVED':
      return `${detail.code === 'PEER_UNREACHABLE' ? 'cannot reach' : 'faulty'} provider ${detail.peer}: ${detail.reason}`
    case 'LEDGER_UNREACHABLE':
      return `cannot reach ${detail.endpoint}: ${detail.reason}`
    case 'PROCESS_FAILED':
      return `${detail.program} failed: ${detail.reason}`
    case 'CID_MISMATCH':
      return `the bytes are not those of ${detail.expected} (found ${detail.actual})`
    default:
      return undefined
  }
}

/** Without control characters, so that no name in a message can act on the terminal. */
export const errorText = (error: HoldfastError): string =>
  printable(sentence(error.detail) ?? error.message).replaceAll('\\n', '\n')
