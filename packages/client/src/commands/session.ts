/** A command's way to the network: opened before its body, closed after it, whatever happens. */
import type { Ledger, NetworkFile } from '@holdfast/chain'
import type { CallOptions, Signer } from '@holdfast/protocol'
import { loadNetwork, openLedger, openSigner } from '../config/open-network.ts'
import { networkConnector } from '../transfer/network-peer.ts'
import type { ConnectPeer } from '../transfer/provider-peer.ts'
import type { Runtime } from './runtime.ts'

export interface Session {
  readonly networkPath: string
  readonly network: NetworkFile
  readonly ledger: Ledger
  readonly connect: ConnectPeer
  readonly options: CallOptions
}

export interface SigningSession extends Session {
  readonly signer: Signer
}

/** For commands that only read. */
export const withNetwork = async <T>(
  runtime: Runtime,
  act: (session: Session) => Promise<T>,
): Promise<T> => {
  const { path, network } = await loadNetwork(runtime.settings)
  return closing(await openLedger(network, runtime), (ledger) =>
    act(sessionOf(runtime, { path, network, ledger })),
  )
}

/** For commands that sign or pay. */
export const withSigner = async <T>(
  runtime: Runtime,
  act: (session: SigningSession) => Promise<T>,
): Promise<T> => {
  const { path, network } = await loadNetwork(runtime.settings)
  const signer = await openSigner(runtime.settings, network, runtime.flags.passphraseFd)
  return closing(await openLedger(network, runtime, signer), (ledger) =>
    act({ ...sessionOf(runtime, { path, network, ledger }), signer }),
  )
}

const closing = async <T>(ledger: Ledger, act: (ledger: Ledger) => Promise<T>): Promise<T> => {
  try {
    return await act(ledger)
  } finally {
    await ledger.close()
  }
}

const sessionOf = (
  runtime: Runtime,
  { path, network, ledger }: { path: string; network: NetworkFile; ledger: Ledger },
): Session => ({
  networkPath: path,
  network,
  ledger,
  connect: networkConnector(runtime.clock),
  options: { signal: runtime.signal },
})
