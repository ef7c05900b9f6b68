/**
 * Power loss on real file systems: ext4 and XFS over loop devices, shut down without their log being
 * written while a storage node uploads, seals, collects, drains and writes its journal. Skipped, saying
 * why, where the machine cannot (no root, no loop devices, no mkfs).
 */
import { powerSuite } from './support/power-suite.ts'

powerSuite(200)
