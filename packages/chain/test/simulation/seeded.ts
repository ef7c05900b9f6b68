/** Chance that replays, as tests of this package name it. */
export { Seeded } from '../../src/simulation/seeded.ts'
