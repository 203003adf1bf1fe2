import { join } from 'node:path'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { landFile } from '#gpu-worker/agent/land.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import type { FileTree } from '#gpu-worker/ports/file-tree.ts'

// Writes one file the way the worker does, with the worker's own parts, and kills itself at one exact moment:
// `before-rename` has the new bytes durable in the temp file, `after-rename` has them in place but not in the journal.

const [root = '', dataFolder = '', moment = '', path = '', job = '', text = '', outcome = ''] = process.argv.slice(2)

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}

const files = await createNodeFileTree({ root, ...(moment === 'before-rename' ? { beforeRename: die } : {}) })
const dying: FileTree = {
  resolve: (...given) => files.resolve(...given),
  read: (...given) => files.read(...given),
  walk: (...given) => files.walk(...given),
  sweep: () => files.sweep(),
  remove: (...given) => files.remove(...given),
  async write(...given) {
    await files.write(...given)
    await die()
  },
}
await landFile(
  {
    file: await files.resolve(path, 'write'),
    text,
    expectedSha256: undefined,
    dryRun: false,
    jobId: job,
    outcome: () => JSON.parse(outcome),
  },
  {
    files: dying,
    repository: await openRepository({ root }),
    checker: createFileChecker({ parser: createTreeSitterParser() }),
    journal: openSqliteJournal(join(dataFolder, 'worker', 'journal.sqlite')),
  },
  new AbortController().signal,
)
