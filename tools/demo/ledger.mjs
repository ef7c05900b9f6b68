/**
 * The chain as the demo sees it, read directly and not through the commands it shows: which periods
 * of a deal are proven, how far it is settled, what was paid. Loaded after the build, because it is
 * part of what is built.
 */

/** Opens a read-only view of the network in `networkFile`. */
export const openLedgerView = async (networkFile) => {
  const { openEvmLedger, readNetwork, systemClock } = await import('@holdfast/chain')
  const { silentLogger } = await import('@holdfast/protocol')
  const network = await readNetwork(networkFile)
  const { rpc } = network
  return openEvmLedger({ network, rpc, clock: systemClock, logger: silentLogger })
}

/** What the chain says about one deal now. */
export const readReplica = async (ledger, id) => {
  const deal = await ledger.deal(id)
  const proven = await ledger.proven(deal.terms.provider, deal.start, deal.end)
  return { id, provider: deal.terms.provider, deal, proven, paid: deal.paid }
}

/** True when at least `periods` of the deal's first periods are proven, settled and paid. */
export const isPaidFor = ({ deal, proven }, periods) =>
  proven.filter((period) => period < deal.settledThrough).length >= periods && deal.paid > 0n
