/** Flipping bits in what lies in LevelDB: volume index, chain state, books. */
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hash32, period, timestamp } from '@holdfast/protocol'
import { AccountStore } from '../../src/earnings/account-store.ts'
import type { AccountTotals } from '../../src/earnings/account-types.ts'
import type { Fact } from '../../src/follow/facts.ts'
import { StateStore } from '../../src/follow/state-store.ts'
import type { Entry } from '../../src/store/record-entry.ts'
import { type IndexChange, VolumeIndex } from '../../src/store/volume-index.ts'
import { flipFile, rootOf, type Trial } from './flip-trial.ts'
import type { Chance } from './simulated-disk.ts'

const entryAt = (i: number): Entry => ({
  sector: { number: i + 1, tag: i + 77 },
  offset: 8192,
  mark: 0,
  trailer: {
    ...{ type: 'payload', sequence: BigInt(i), layersBytes: 64n as never, storedAt: 7n as never },
    ...{ framesCrc: i, layersCrc: i + 1 },
    commitment: { scheme: 1 as never, root: rootOf(i), length: 9_000_000n as never },
  },
})

const FILES = 400

/** The index of a volume: never believes a changed value, and is whole again after the next opening. */
export const indexTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const template = join(scratch, 'index')
  const truth = new Map<string, Entry>()
  for (let i = 0; i < FILES; i++) truth.set(`${i}.sector`, entryAt(i))
  const index = await VolumeIndex.open(template)
  const rows: IndexChange[] = [...truth]
  index.apply(rows.slice(0, 300))
  for (let i = 0; i < 50; i++) await index.stamp('verified', rootOf(i), i + 1)
  await index.close()
  // What was in the log becomes a table when it is opened again.
  const more = await VolumeIndex.open(template)
  more.apply(rows.slice(300))
  await more.close()
  const names = await readdir(template)
  const trialOf =
    (pattern: RegExp): Trial =>
    (chance) =>
      indexTrial({ scratch, template, truth, files: names.filter((n) => pattern.test(n)) }, chance)
  return {
    'index table': trialOf(/\.ldb$/),
    'index log': trialOf(/\.log$/),
    'index manifest': trialOf(/^MANIFEST/),
    'index CURRENT': trialOf(/^CURRENT$/),
  }
}

interface IndexTemplate {
  readonly scratch: string
  readonly template: string
  readonly truth: ReadonlyMap<string, Entry>
  readonly files: readonly string[]
}

const sameEntry = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a?.trailer.commitment.root === b?.trailer.commitment.root && a?.offset === b?.offset

const indexTrial = async (
  { scratch, template, truth, files }: IndexTemplate,
  chance: Chance,
): Promise<string> => {
  const copy = join(scratch, 'copy')
  await rm(copy, { recursive: true, force: true })
  await cp(template, copy, { recursive: true })
  const file = files[chance(files.length)]
  if (file === undefined) throw new Error('there is such a file')
  await flipFile(join(copy, file), chance)
  let thrownAway = false
  const index = await VolumeIndex.open(copy, () => {
    thrownAway = true
  })
  const known = await index.own()
  for (const [name, entry] of known) {
    if (!sameEntry(truth.get(name), entry)) throw new Error(`${name} is not what was written`)
  }
  for await (const [of, at] of index.stamps('verified')) {
    if (of !== rootOf(at - 1)) throw new Error(`${of} was not verified at ${at}`)
  }
  // What a volume does when it opens: what the index does not know is read and noted again.
  index.apply([...truth].filter(([name]) => !known.has(name)))
  await index.close()
  const again = await VolumeIndex.open(copy)
  const healed = await again.own()
  await again.close()
  if (healed.size !== truth.size) throw new Error(`${truth.size - healed.size} stay missing`)
  if (thrownAway) return 'thrown away, made again'
  return known.size === truth.size ? 'without effect' : 'values missing, noted again'
}

const UPDATES = 40

/** The chain state: as it was at some block, or thrown away and folded anew. */
export const stateTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const template = join(scratch, 'state')
  const store = await StateStore.open(template)
  for (let n = 1; n <= UPDATES; n++) await writeUpdate(store, n)
  await store.close()
  const names = (await readdir(template)).filter((n) =>
    /^(CURRENT|MANIFEST.*|.*\.(log|ldb))$/.test(n),
  )
  const trial: Trial = async (chance) => {
    const copy = join(scratch, 'state-copy')
    await rm(copy, { recursive: true, force: true })
    await cp(template, copy, { recursive: true })
    await flipFile(join(copy, names[chance(names.length)] ?? ''), chance)
    let thrownAway = false
    const opened = await StateStore.open(copy, () => {
      thrownAway = true
    })
    const loaded = await opened.load()
    const at = Number(loaded?.cursor?.number ?? 0n)
    if (loaded !== undefined) expectState(loaded.facts, at)
    if (loaded === undefined) await writeUpdate(opened, 1)
    await opened.close()
    const again = await StateStore.open(copy)
    if ((await again.load()) === undefined) throw new Error('still damaged')
    await again.close()
    if (loaded === undefined || thrownAway) return 'thrown away, folded anew'
    return at === UPDATES ? 'without effect' : 'an older block, followed from there'
  }
  return { 'chain state': trial }
}

const factAt = (n: number): Fact => ({ kind: 'seed', period: period(n), seed: hash32(rootOf(n)) })

const writeUpdate = (store: StateStore, n: number): Promise<void> => {
  const ref = { number: BigInt(n), hash: hash32(rootOf(n)), timestamp: timestamp(n) }
  return store.write({
    facts: new Map([[`seed/${n}`, factAt(n)]]),
    applied: [{ change: { ref, changes: new Map() }, parent: undefined }],
    reverted: [],
    cursor: ref,
  })
}

const expectState = (facts: ReadonlyMap<string, Fact>, upTo: number): void => {
  if (facts.size !== upTo) throw new Error(`${facts.size} facts at block ${upTo}`)
  for (let n = 1; n <= upTo; n++) {
    const fact = facts.get(`seed/${n}`)
    if (fact?.kind !== 'seed' || fact.seed !== hash32(rootOf(n)))
      throw new Error(`fact ${n} is another`)
  }
}

/** The node's books: each value is what it was, or left out; books that cannot be read are set aside. */
export const booksTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const template = join(scratch, 'books')
  const roots = Array.from({ length: 60 }, (_, i) => rootOf(i))
  for (let half = 0; half < 2; half++) {
    const store = await AccountStore.open(template)
    for (const [i, of] of roots.entries()) {
      if (i % 2 === half)
        await store.write({ totals: TOTALS, egress: new Map([[of, BigInt(i + 1)]]) })
    }
    await store.close()
  }
  const names = (await readdir(template)).filter((n) =>
    /^(CURRENT|MANIFEST.*|.*\.(log|ldb))$/.test(n),
  )
  const trial: Trial = async (chance) => {
    const copy = join(scratch, 'books-copy')
    await rm(copy, { recursive: true, force: true })
    await cp(template, copy, { recursive: true })
    await flipFile(join(copy, names[chance(names.length)] ?? ''), chance)
    let aside = false
    const store = await AccountStore.open(copy, () => {
      aside = true
    })
    const egress = await store.egressOf(roots)
    for (const [i, bytes] of egress.entries()) {
      if (bytes !== 0n && bytes !== BigInt(i + 1)) throw new Error(`${bytes} bytes of ${i}`)
    }
    await store.close()
    if (aside) return 'set aside, begun anew'
    return egress.includes(0n) ? 'values left out' : 'without effect'
  }
  return { books: trial }
}

const TOTALS = { since: timestamp(1), gas: 0n, egress: 0n } as unknown as AccountTotals
