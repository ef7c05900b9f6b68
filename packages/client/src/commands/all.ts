/** Every command, in the order of the help. */
import { registerCid } from './cid.ts'
import { registerCommit } from './commit.ts'
import { registerDevnet } from './devnet.ts'
import { registerDoctor } from './doctor.ts'
import { registerFund } from './fund.ts'
import { registerInit } from './init.ts'
import { registerPack } from './pack.ts'
import { registerPlan } from './plan.ts'
import { registerProviders } from './providers.ts'
import { registerPublish } from './publish.ts'
import { registerRead } from './read.ts'
import type { Register } from './runtime.ts'
import { registerStatus } from './status.ts'
import { registerWallet } from './wallet.ts'

export const COMMANDS: readonly Register[] = [
  registerDevnet,
  registerInit,
  registerWallet,
  registerFund,
  registerProviders,
  registerCid,
  registerCommit,
  registerPack,
  registerPlan,
  registerPublish,
  registerStatus,
  registerRead,
  registerDoctor,
]
