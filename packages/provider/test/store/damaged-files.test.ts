/**
 * Whole sector files damaged, with and without an index: cut short, zeroed in part or whole, there twice,
 * under another name. The volume opens, no wrong byte is served, nothing beyond that file is concerned,
 * and what is only misnamed is not lost at all.
 */
import { expect, test } from '@jest/globals'
import { FlipVolume, type OpenHow } from '../support/flip-volume.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

const volume = FlipVolume.build()
const WAYS: readonly OpenHow[] = [
  { withIndex: true, deep: false },
  { withIndex: false, deep: false },
  { withIndex: false, deep: true },
]

/** The volume with files changed, added, or (undefined) taken away. */
const changed = (changes: Readonly<Record<string, Uint8Array | undefined>>): SimulatedDisk => {
  const files = new Map(volume.files)
  for (const [path, content] of Object.entries(changes)) {
    if (content === undefined) files.delete(path)
    else files.set(path, content)
  }
  return SimulatedDisk.holding(files)
}

const sectors = [...volume.sectors].map(([path, records]) => ({
  path,
  records,
  content: volume.files.get(path) ?? new Uint8Array(0),
}))

const sealed = sectors.filter(({ path }) => path.includes('/sectors/'))

test('nothing is wrong with the volume itself', async () => {
  for (const how of WAYS) {
    const { outcomes, bad } = await volume.look(volume.disk(), how)
    expect([...outcomes, bad]).toEqual(['without effect', 0])
  }
  expect(sealed.length).toBeGreaterThan(4)
})

test('a file cut short costs at most what lies in it', async () => {
  for (const { path, content, records } of sectors) {
    for (const share of [0, 0.01, 0.3, 0.7, 0.999]) {
      const cut = content.slice(0, Math.floor(share * content.length))
      for (const how of WAYS) {
        const { bad } = await volume.look(changed({ [path]: cut }), how)
        expect(bad).toBeLessThanOrEqual(records)
      }
    }
  }
})

test('zeros, in one block or everywhere, cost at most what lies in the file', async () => {
  for (const { path, content, records } of sectors) {
    const zeroed = [new Uint8Array(content.length)]
    for (let at = 0; at < content.length; at += 12_288) {
      zeroed.push(content.slice().fill(0, at, at + 4096))
    }
    for (const [i, zeros] of zeroed.entries()) {
      const { bad } = await volume.look(
        changed({ [path]: zeros }),
        WAYS[i % 3] ?? { withIndex: true, deep: false },
      )
      expect(bad).toBeLessThanOrEqual(records)
    }
  }
})

test('a file that is there twice, before or after its own name, costs nothing', async () => {
  for (const { path, content } of sealed) {
    for (const number of ['00000000', '00000999']) {
      const copy = path.replace(/\d{8}-/, `${number}-`)
      for (const how of WAYS) {
        const { bad } = await volume.look(changed({ [copy]: content }), how)
        expect(bad).toBe(0)
      }
    }
  }
})

test('a file under another name costs nothing', async () => {
  for (const { path, content } of sealed) {
    const other = path.replace(/\d{8}-/, '00000998-')
    for (const how of WAYS) {
      const disk = changed({ [path]: undefined, [other]: content })
      const { bad } = await volume.look(disk, how)
      expect(bad).toBe(0)
      expect(disk.files.has(path)).toBe(true)
    }
  }
})
