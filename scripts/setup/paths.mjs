import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout that these scripts belong to. */
export const projectFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** What the set-up brought; removing it is always safe. */
export const toolsFolder = join(projectFolder, '.tools')
