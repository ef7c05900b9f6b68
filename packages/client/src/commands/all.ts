/** Every command, in the order of the help. */
import { registerCid } from './cid.ts'
import { registerPack } from './pack.ts'
import type { Register } from './runtime.ts'

export const COMMANDS: readonly Register[] = [registerCid, registerPack]
