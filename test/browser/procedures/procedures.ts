import { agents } from './agents.ts'
import { authentication } from './authentication.ts'
import { files } from './files.ts'
import { git } from './git.ts'

/** The user's procedures A to D, for the tests of the page and for the acceptance report. */
export const procedures = { authentication, agents, files, git } as const
