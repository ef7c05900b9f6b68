/** Makes a file of evidence: entries from the provider, the rest from the chain, and checks it at once. */
import { type Deal, type LedgerReader, type NetworkFile, readPeriodEvidence } from '@holdfast/chain'
import {
  type CallOptions,
  type Clock,
  HoldfastError,
  type Logger,
  type Period,
} from '@holdfast/protocol'
import type { ConnectPeer } from '../../transfer/provider-peer.ts'
import { decodeEvidence, type Evidence, encodeEvidence } from './evidence-file.ts'
import { type Verdict, verifyEvidence } from './verify-evidence.ts'

export interface EvidenceDependencies {
  readonly network: NetworkFile
  readonly ledger: LedgerReader
  readonly connect: ConnectPeer
  readonly clock: Clock
  readonly logger: Logger
}

export interface MadeEvidence {
  readonly text: string
  readonly verdict: Verdict
}

/**
 * @throws HoldfastError `BUNDLE_NOT_FOUND` when the period is not committed or too old; as
 *   `readPeriodEvidence` and `verifyEvidence`; what the provider answers.
 */
export const makeEvidence = async (
  { network, ledger, connect, clock, logger }: EvidenceDependencies,
  { id: deal, terms }: Deal,
  period: Period,
  options: CallOptions,
): Promise<MadeEvidence> => {
  const { provider } = terms
  if ((await ledger.committed(provider, period, options)) === undefined) {
    const reason = 'it is not committed, or its mark was taken back, or it is older than 8 periods'
    throw new HoldfastError({ code: 'BUNDLE_NOT_FOUND', period, reason })
  }
  const record = await ledger.provider(provider, options)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  const peer = await connect(record, options)
  try {
    const { entries } = await peer.bundleEntries({ period, deal }, options)
    const about = { provider, period }
    const read = await readPeriodEvidence(network, about, { ...options, clock, logger })
    const { header, signature, storage } = read
    const evidence: Evidence = {
      ...{ chainId: network.chainId, provider, period, terms, signature, header, entries },
      account: storage.account,
      words: [...storage.words].map(([slot, nodes]) => ({ slot, nodes })),
    }
    const text = encodeEvidence(evidence)
    // What is handed out is what a third party will read.
    const back = decodeEvidence(new TextEncoder().encode(text))
    return { text, verdict: verifyEvidence(network, back) }
  } finally {
    peer.close()
  }
}
