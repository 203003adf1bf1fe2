import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CommandRequest } from '../ports/command-runner.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'

/** Where a command is told what it was given. */
export const GIVEN_VARIABLE = 'MILLWRIGHT_GIVEN'

/** Puts the files for one command into a folder of our own. Throws as `parseRepositoryPath` for a name that leads out of it. */
export function writeGiven(folder: string, given: NonNullable<CommandRequest['given']>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, { bytes, isExecutable = false }] of given) {
    const file = join(folder, parseRepositoryPath(name))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes, { mode: isExecutable ? 0o755 : 0o644 })
  }
}
