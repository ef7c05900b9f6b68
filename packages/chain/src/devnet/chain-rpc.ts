/**
 * The few methods of the embedded chain that are not Ethereum's: give coin, dump the state, jump in
 * time, mine, reorganise. Development only.
 */
import { type Address, type Hex, HoldfastError, type Seconds } from '@holdfast/protocol'

/** A JSON-RPC method call. */
export type Call = (method: string, parameters: readonly unknown[]) => Promise<unknown>

const failed = (url: string, reason: string, cause?: unknown): HoldfastError =>
  new HoldfastError({ code: 'LEDGER_UNREACHABLE', endpoint: url, reason }, { cause })

/** Calls methods at `url`. @throws HoldfastError `LEDGER_UNREACHABLE`, also for refused calls. */
export const callsTo = (url: string): Call => {
  let id = 0
  return async (method, params) => {
    id += 1
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    const headers = { 'content-type': 'application/json' }
    let answer: unknown
    try {
      answer = await (await fetch(url, { method: 'POST', headers, body })).json()
    } catch (cause) {
      throw failed(url, cause instanceof Error ? cause.message : String(cause), cause)
    }
    const { result, error } = answer as { result?: unknown; error?: { message?: unknown } }
    if (error !== undefined) throw failed(url, `${method}: ${String(error.message)}`)
    return result
  }
}

const quantity = (value: bigint): Hex => `0x${value.toString(16)}`

/** The development methods of an anvil chain. */
export interface ChainControl {
  give(account: Address, wei: bigint): Promise<void>
  /** The whole state, gzip. */
  dump(): Promise<Uint8Array>
  /** Moves the next block's time forward and mines a block at it. */
  advance(by: Seconds): Promise<void>
  /** Moves the clock without mining. */
  shift(by: Seconds): Promise<void>
  mine(): Promise<void>
  /** Replaces the newest `depth` blocks by empty ones. */
  reorg(depth: number): Promise<void>
}

export const chainControl = (url: string): ChainControl => {
  const call = callsTo(url)
  const shift = async (by: Seconds): Promise<void> => {
    await call('evm_increaseTime', [quantity(by)])
  }
  const mine = async (): Promise<void> => {
    await call('evm_mine', [])
  }
  return {
    give: async (account, wei) => {
      await call('anvil_setBalance', [account, quantity(wei)])
    },
    dump: async () => {
      const answer = await call('anvil_dumpState', [])
      if (typeof answer !== 'string') throw failed(url, 'anvil_dumpState: no state')
      return Buffer.from(answer.slice(2), 'hex')
    },
    advance: async (by) => {
      await shift(by)
      await mine()
    },
    shift,
    mine,
    reorg: async (depth) => {
      await call('anvil_reorg', [depth, []])
    },
  }
}
