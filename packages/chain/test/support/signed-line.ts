/** Lines of nonces for tests, with bytes that were really signed. */
import { type Timestamp, timestamp } from '@holdfast/protocol'
import type { Offer } from '../../src/evm/prices.ts'
import { type Signed, signTransaction } from '../../src/evm/signing.ts'
import { signerFromPrivateKey } from '../../src/keys/signer.ts'
import { NonceLine } from '../../src/outbox/nonce-line.ts'
import type { IntentId, OutboxEntry } from '../../src/outbox/outbox.ts'
import type { Lane } from '../../src/send-options.ts'

export const LINE_SIGNER = signerFromPrivateKey(new Uint8Array(32).fill(9))
export const ACCOUNT = LINE_SIGNER.address
export const GWEI: bigint = 10n ** 9n

export interface Wanted {
  readonly name: string
  readonly nonce: number
  readonly lane?: Lane
  readonly since?: bigint
  readonly deadline?: bigint
  readonly gasBudget?: bigint
  readonly gas?: bigint
  readonly offer?: Offer
}

const OFFER: Offer = { maxFeePerGas: 3n * GWEI, maxPriorityFeePerGas: GWEI }

const stamp = (value: bigint | undefined): Timestamp | undefined =>
  value === undefined ? undefined : timestamp(value)

/** Something to fold: a line and the entries it came from. */
export class TestLine {
  readonly entries: OutboxEntry[] = []
  readonly line = new NonceLine()

  add(...entries: readonly OutboxEntry[]): void {
    for (const entry of entries) this.line.apply(entry)
    this.entries.push(...entries)
  }

  async begin(wanted: Wanted): Promise<IntentId> {
    const { name, lane = 'ledger', since = 1000n, deadline, gasBudget, nonce } = wanted
    const signed = await this.#sign(wanted, false)
    const intent = signed.hash
    this.add(
      {
        ...{ kind: 'tx-intended', account: ACCOUNT, intent, name, lane, since: timestamp(since) },
        ...{ deadline: stamp(deadline), gasBudget },
      },
      { kind: 'tx-signed', account: ACCOUNT, intent, nonce, ...signed, cancels: false },
    )
    return intent
  }

  /** Another attempt for a nonce. */
  async again(intent: IntentId, wanted: Wanted, cancels = false): Promise<Signed> {
    const signed = await this.#sign(wanted, cancels)
    const { nonce } = wanted
    this.add({ kind: 'tx-signed', account: ACCOUNT, intent, nonce, ...signed, cancels })
    return signed
  }

  #sign({ nonce, gas = 100_000n, offer = OFFER }: Wanted, cancels: boolean): Promise<Signed> {
    const call = cancels
      ? ({ data: '0x', gas: 21_000n } as const)
      : ({ data: '0x01', gas } as const)
    return signTransaction(LINE_SIGNER, { chainId: 1n, nonce, to: ACCOUNT, ...call, ...offer })
  }
}
