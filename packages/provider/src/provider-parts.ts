/**
 * The parts of a provider and how they hang together: the core, and around it what its listeners and
 * its operator need. Starts nothing.
 */
import type { Ledger } from '@holdfast/chain'
import type { Bytes } from '@holdfast/protocol'
import { type Checksum, openChecksum, type PathLock } from '@holdfast/prover'
import { AdminRegistry } from './admin/registry.ts'
import type { AlarmBoard } from './alarms/alarm-board.ts'
import { CarCatalogue } from './car/car-catalogue.ts'
import {
  type CoreDependencies,
  type CoreOptions,
  openCore,
  type ProviderCore,
} from './provider-core.ts'
import { CallCounter } from './rpc/call-counter.ts'
import { TlsKeeper } from './tls-keeper.ts'
import { keepTokenKey } from './token-key.ts'

export interface ProviderDependencies extends CoreDependencies {
  /** Where the ledger raises its alarms; the node's own are raised there too. */
  readonly alarms?: AlarmBoard
  /** The ledger with the owner's key, when the configuration has the node keep up the stake. */
  readonly owner?: Ledger
}

export interface ProviderOptions extends CoreOptions {
  /** Payloads up to this share sector files. Default: see the sector store. */
  readonly sharedPayloadMax?: Bytes
}

export interface ProviderParts extends ProviderCore {
  readonly lock: PathLock
  readonly tls: TlsKeeper
  readonly calls: CallCounter
  /** What the operator may ask; owners of things register here before the node starts. */
  readonly admin: AdminRegistry
  readonly checksum: Checksum
  readonly catalogue: CarCatalogue
}

export const openParts = async (
  dependencies: ProviderDependencies,
  options: ProviderOptions,
  lock: PathLock,
): Promise<ProviderParts> => {
  const { clock, logger } = dependencies
  const { paths, config, sharedPayloadMax } = options
  const tls = await TlsKeeper.open({ clock, logger }, { directory: paths.tls, host: config.host })
  const tokenKey = await keepTokenKey(paths.tokenKey, dependencies.random)
  const shared = sharedPayloadMax === undefined ? {} : { sharedPayloadMax }
  const core = await openCore(
    dependencies,
    { ...options, storing: { ...options.storing, ...shared } },
    {
      tlsKeyHash: () => tls.current.keyHash,
      tokenKey,
      onStored: (root) => catalogue.add(root),
      onRemoved: (root) => catalogue.remove(root),
    },
  )
  const checksum = openChecksum()
  const { holdings, store } = core
  const catalogue = await CarCatalogue.open({ holdings, store, checksum, logger }, paths.carIndex)
  const admin = new AdminRegistry()
  core.housekeeping.register(admin)
  return { ...core, lock, tls, calls: new CallCounter(), admin, checksum, catalogue }
}
