/** What the package offers; nothing inside it imports this file. */

export type { Alarms, ChainAlarmKind } from './alarms.ts'
export { silentAlarms } from './alarms.ts'
export type { DevnetAccount } from './devnet/accounts.ts'
export type { BinaryEnvironment } from './devnet/anvil-binary.ts'
export { findAnvil, requireAnvil } from './devnet/anvil-binary.ts'
export type { Devnet, DevnetParameters } from './devnet/devnet.ts'
export { startDevnet } from './devnet/devnet.ts'
export { grantDevnetFunds } from './devnet/grant.ts'
export { endProcess, isRunning, isRunningAs } from './devnet/processes.ts'
export type { EvmLedger } from './evm/evm-ledger.ts'
export type { EvmLedgerParameters } from './evm/open.ts'
export { openEvmLedger } from './evm/open.ts'
export type { EncryptOptions, KeystoreV3, ScryptCost } from './keys/keystore.ts'
export { decryptKey, encryptKey, LIGHT_COST, STANDARD_COST } from './keys/keystore.ts'
export type { CreateKeystoreOptions, CreateKeystoreParameters } from './keys/keystore-file.ts'
export {
  createKeystore,
  keystoreAddress,
  openKeystore,
  readPassphrase,
} from './keys/keystore-file.ts'
export { randomPrivateKey, signerFromPrivateKey } from './keys/signer.ts'
export * from './ledger.ts'
export type { MemoryChain, MemoryChainParameters } from './memory/create.ts'
export { createMemoryChain } from './memory/create.ts'
export type { DevnetInfo, NetworkFile } from './network-file.ts'
export { formatNetwork, parseNetwork, readNetwork, writeNetwork } from './network-file.ts'
export type { Attempt, Intent, Settled, SignedCall, Slot } from './outbox/nonce-line.ts'
export { NonceLine } from './outbox/nonce-line.ts'
export type { IntentId, Outbox, OutboxEntry, Outcome } from './outbox/outbox.ts'
export { memoryOutbox } from './outbox/outbox.ts'
export { signaturePoint } from './relayer/drand.ts'
export { Seeded } from './simulation/seeded.ts'
export { VirtualClock } from './simulation/virtual-clock.ts'
export type { JsonLoggerOptions, LogLevel } from './system-adapters.ts'
export { createJsonLogger, systemClock, systemRandom } from './system-adapters.ts'
