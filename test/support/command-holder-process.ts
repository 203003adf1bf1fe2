import { createBubblewrapRunner } from '#gpu-worker/adapters/bubblewrap-runner.ts'
import { createProtectedPaths } from '#gpu-worker/workspace/protected-paths.ts'
import { findBubblewrapForTests } from './bubblewrap.ts'

// Runs a command that does not end, for a test that kills this process: ROOT WORK MARK.

const [root = '', workFolder = '', mark = ''] = process.argv.slice(2)
const bubblewrap = await findBubblewrapForTests()
if ('missing' in bubblewrap) throw new Error(bubblewrap.missing)
const protectedPaths = createProtectedPaths()
const runner = createBubblewrapRunner({ bubblewrap, root, protectedPaths, workFolder, folders: [], hiddenFolders: [] })
const commandLine = ['sh', '-c', `sleep 1; sh -c 'sleep 300; : ${mark}'`] as const
await runner.run({ commandLine, candidates: [], scratchFolders: [], timeoutMs: 300_000 })
