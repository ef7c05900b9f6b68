/**
 * CID profiles: the settings that decide which root CID a file tree gets. Two tools agree on a CID
 * exactly when they agree on all of these. Sources: IPIP-499 for the two `unixfs-` profiles; the
 * third is what `ipfs add --cid-version=1` does without a configured profile.
 *
 * Invariant: a profile never changes; a new habit of the world gets a new name.
 */
import { HoldfastError } from '@holdfast/protocol'

export type ProfileName = 'unixfs-v1-2025' | 'unixfs-v0-2015' | 'kubo-cid-v1'

export interface Profile {
  readonly name: ProfileName
  readonly cidVersion: 0 | 1
  /** File bytes in one leaf. */
  readonly chunkSize: number
  /** Children of one inner file node. */
  readonly width: number
  /** Leaves are bare bytes; else each is wrapped in a UnixFS node. */
  readonly rawLeaves: boolean
  /** What is measured to decide that a directory becomes a HAMT: its block, or its names and CIDs. */
  readonly shardBy: 'block-bytes' | 'links-bytes'
  /** A directory strictly larger than this becomes a HAMT. */
  readonly shardAbove: number
}

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  'unixfs-v1-2025': {
    name: 'unixfs-v1-2025',
    cidVersion: 1,
    chunkSize: 1 << 20,
    width: 1024,
    rawLeaves: true,
    shardBy: 'block-bytes',
    shardAbove: 1 << 18,
  },
  'unixfs-v0-2015': {
    name: 'unixfs-v0-2015',
    cidVersion: 0,
    chunkSize: 1 << 18,
    width: 174,
    rawLeaves: false,
    shardBy: 'links-bytes',
    shardAbove: 1 << 18,
  },
  'kubo-cid-v1': {
    name: 'kubo-cid-v1',
    cidVersion: 1,
    chunkSize: 1 << 18,
    width: 174,
    rawLeaves: true,
    shardBy: 'links-bytes',
    shardAbove: 1 << 18,
  },
}

export const DEFAULT_PROFILE: ProfileName = 'unixfs-v1-2025'
export const PROFILE_NAMES: readonly ProfileName[] = [
  'unixfs-v1-2025',
  'unixfs-v0-2015',
  'kubo-cid-v1',
]

/** @throws HoldfastError `USAGE` for a name that is no profile. */
export const profileOf = (name: string): Profile => {
  const found = PROFILE_NAMES.find((known) => known === name)
  if (found === undefined) {
    const known = PROFILE_NAMES.join(', ')
    throw new HoldfastError({ code: 'USAGE', reason: `profile ${name} is none of ${known}` })
  }
  return PROFILES[found]
}
