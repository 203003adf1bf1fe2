import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findBubblewrap } from '#gpu-worker/adapters/bubblewrap-probe.ts'
import { toolsFolder } from '#scripts/setup/paths.mjs'

const brought = join(toolsFolder, 'bubblewrap', 'bwrap')

/** The bubblewrap that the set-up found or brought; `missing` is the reason with which tests that need it are skipped. */
export const findBubblewrapForTests = () =>
  findBubblewrap(process.env.PATH ?? '', process.env.MILLWRIGHT_BWRAP ?? (existsSync(brought) ? brought : undefined))
