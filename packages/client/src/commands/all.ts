/**
 * Every command, in the order of the help, with how to load it. Only what a command line names is
 * loaded: most of a command's start is loading libraries that other commands need.
 */
import type { Register } from './runtime.ts'

interface CommandModule {
  readonly names: readonly string[]
  readonly load: () => Promise<Register>
}

export const COMMANDS: readonly CommandModule[] = [
  { names: ['devnet'], load: async () => (await import('./devnet.ts')).registerDevnet },
  { names: ['init'], load: async () => (await import('./init.ts')).registerInit },
  { names: ['wallet'], load: async () => (await import('./wallet.ts')).registerWallet },
  { names: ['fund', 'withdraw'], load: async () => (await import('./fund.ts')).registerFund },
  { names: ['providers'], load: async () => (await import('./providers.ts')).registerProviders },
  { names: ['cid'], load: async () => (await import('./cid.ts')).registerCid },
  { names: ['commit'], load: async () => (await import('./commit.ts')).registerCommit },
  { names: ['pack'], load: async () => (await import('./pack.ts')).registerPack },
  { names: ['plan'], load: async () => (await import('./plan.ts')).registerPlan },
  { names: ['publish'], load: async () => (await import('./publish.ts')).registerPublish },
  { names: ['grant'], load: async () => (await import('./grant.ts')).registerGrant },
  { names: ['status', 'proofs'], load: async () => (await import('./status.ts')).registerStatus },
  {
    names: ['ls', 'cat', 'get', 'verify'],
    load: async () => (await import('./read.ts')).registerRead,
  },
  { names: ['repair'], load: async () => (await import('./repair.ts')).registerRepair },
  {
    names: ['terminate'],
    load: async () => (await import('./terminate.ts')).registerTerminate,
  },
  { names: ['watch'], load: async () => (await import('./watch.ts')).registerWatch },
  { names: ['audit'], load: async () => (await import('./audit.ts')).registerAudit },
  { names: ['doctor'], load: async () => (await import('./doctor.ts')).registerDoctor },
]

/** The commands that `argv` may mean; all of them when it names none. */
export const loadCommands = async (argv: readonly string[]): Promise<readonly Register[]> => {
  const named = COMMANDS.filter(({ names }) => names.some((name) => argv.includes(name)))
  const wanted = named.length === 0 ? COMMANDS : named
  return Promise.all(wanted.map(({ load }) => load()))
}
