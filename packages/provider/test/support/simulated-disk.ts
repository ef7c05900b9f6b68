/** The simulated disk and its chance, as tests of this package name them. */
export { PowerLoss, SimulatedDisk } from '../../src/simulated/simulated-disk.ts'
export { type Chance, chanceFrom } from '../../src/simulated/simulated-file.ts'
