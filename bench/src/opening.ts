/**
 * Opens many deals on a development chain by transactions as they are, many to a block: the same calls
 * that the ledger's adapter sends, without waiting for each receipt. Anybody may send an opening, since
 * both sides signed it; the account that does here needs no key, for the chain lends it.
 *
 * Invariant: every opening was mined and not refused, or `open` throws.
 */
import { type NetworkParams, type OpenDealParameters, openDealCall } from '@holdfast/chain'
import { address } from '@holdfast/protocol'

const SENDER = address(`0x${'9a'.repeat(20)}`)
const COINS = 10n ** 24n
/** Twice what an opening among ten thousand takes. */
const OPENING_GAS = 500_000n
/** Openings whose gas limits fit a block of 60 million. */
export const OPENINGS_PER_BLOCK = 100

const hexOf = (value: bigint | number): string => `0x${value.toString(16)}`

interface Answer {
  readonly result?: unknown
  readonly error?: { readonly message?: string }
}

interface Receipt {
  readonly status: string
  readonly gasUsed: string
}

/** One request, or many in one message. @throws Error with what the chain says. */
const ask = async (
  url: string,
  calls: readonly (readonly [method: string, params: readonly unknown[]])[],
): Promise<readonly unknown[]> => {
  const body = calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }))
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const answers = (await response.json()) as readonly (Answer & { readonly id: number })[]
  const inOrder = [...answers].sort((a, b) => a.id - b.id)
  return inOrder.map(({ result, error }, i) => {
    if (error === undefined) return result
    throw new Error(`${calls[i]?.[0]}: ${error.message}`)
  })
}

export class DealOpener {
  readonly #url: string
  readonly #network: NetworkParams
  #nonce = 0

  /** @param url of a development chain that mines every transaction by itself. */
  constructor(url: string, network: NetworkParams) {
    this.#url = url
    this.#network = network
  }

  /** Opens deals in this order, in one block. Returns what each took of gas. */
  async open(deals: readonly OpenDealParameters[]): Promise<readonly number[]> {
    if (this.#nonce === 0) {
      await ask(this.#url, [
        ['anvil_setBalance', [SENDER, hexOf(COINS)]],
        ['anvil_impersonateAccount', [SENDER]],
      ])
    }
    await ask(this.#url, [['evm_setAutomine', [false]]])
    try {
      await ask(
        this.#url,
        deals.map((deal) => ['eth_sendTransaction', [this.#transaction(deal)]]),
      )
      await ask(this.#url, [['evm_mine', []]])
    } finally {
      await ask(this.#url, [['evm_setAutomine', [true]]])
    }
    const [receipts] = await ask(this.#url, [['eth_getBlockReceipts', ['latest']]])
    const mined = receipts as readonly Receipt[]
    const opened = mined.filter(({ status }) => status === '0x1')
    if (opened.length === deals.length) return opened.map(({ gasUsed }) => Number(gasUsed))
    throw new Error(`${opened.length} of ${deals.length} deals were opened`)
  }

  #transaction(deal: OpenDealParameters): unknown {
    const { to, data } = openDealCall(this.#network.contracts, deal)
    const nonce = hexOf(this.#nonce)
    this.#nonce += 1
    return { from: SENDER, to, data, gas: hexOf(OPENING_GAS), nonce }
  }
}
