import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBubblewrap } from '#gpu-worker/adapters/bubblewrap-probe.ts'
import { createBubblewrapRunner } from '#gpu-worker/adapters/bubblewrap-runner.ts'
import { runCommandProcess } from '#gpu-worker/adapters/command-process.ts'
import { createProtectedPaths } from '#gpu-worker/workspace/protected-paths.ts'
import type { Figure } from '../figure.ts'
import { timeInterleaved } from '../rounds.ts'
import { toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

const FOLDERS = 400
const FILES_PER_FOLDER = 25

/** What the sandbox adds to a command that does nothing, in a small and in a large repository. For information. */
export const measureCommands: Figure = async ({ quick, signal, log }) => {
  const bubblewrap = await findBubblewrap(process.env.PATH ?? '', process.env.MILLWRIGHT_BWRAP)
  if ('missing' in bubblewrap) {
    log(`commands: not measured: ${bubblewrap.missing}`)
    return []
  }
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millwright-bench-')))
  try {
    const runnerFor = (name: string, folders: number) => {
      const root = join(folder, name)
      const workFolder = join(folder, `${name}-work`)
      mkdirSync(workFolder)
      makeRepository(root, folders)
      const protectedPaths = createProtectedPaths()
      return createBubblewrapRunner({ bubblewrap, root, protectedPaths, workFolder, folders: [], hiddenFolders: [] })
    }
    const small = runnerFor('small', 10)
    const large = runnerFor('large', quick ? FOLDERS / 10 : FOLDERS)
    const run = (runner: typeof small, path: string) => async () => {
      const candidate = { path, text: 'x = 1\n' }
      const outcome = await runner.run(
        { commandLine: ['true'], candidates: [candidate], scratchFolders: [], timeoutMs: 60_000 },
        signal,
      )
      if (outcome.kind !== 'ended' || outcome.status !== 0) throw new Error(`The sandbox failed: ${outcome.output}`)
    }
    const first = performance.now()
    await run(large, 'f0/0.py')()
    const firstMs = performance.now() - first
    const bare = { cwd: folder, env: {}, timeoutMs: 60_000, signal, processesMax: 100, memoryBytesMax: 1e9 }
    const contenders = {
      'no sandbox': async () => {
        await runCommandProcess({ ...bare, program: '/bin/sh', args: ['-c', 'exec true'], use: () => null })
      },
      'small repository': run(small, 'f0/0.py'),
      'large repository': run(large, 'f0/0.py'),
      'large repository, new file': run(large, 'f0/new.py'),
    }
    const plan = quick ? { warmUp: 2, rounds: 3, callsPerRound: 3 } : { warmUp: 2, rounds: 6, callsPerRound: 3 }
    const times = await timeInterleaved(contenders, plan, signal)
    const row = (name: keyof typeof contenders, other?: keyof typeof contenders) => {
      const measured = {
        name: `command that does nothing, ${name}, p50`,
        value: median(times[name].flat()),
        unit: 'ms',
      }
      if (other === undefined) return toRow(measured)
      const ratio = medianRatio(times[name].map(median), times[other].map(median))
      return toRow({ ...measured, comparedWith: { name: other, ratio } })
    }
    return [
      row('no sandbox'),
      row('small repository', 'no sandbox'),
      row('large repository', 'small repository'),
      row('large repository, new file', 'large repository'),
      toRow({ name: 'command that does nothing, large repository, first', value: firstMs, unit: 'ms' }),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Folders of files; in each tenth one a file that must be hidden. */
function makeRepository(root: string, folders: number): void {
  for (let index = 0; index < folders; index++) {
    const folder = join(root, `f${index}`)
    mkdirSync(folder, { recursive: true })
    for (let file = 0; file < FILES_PER_FOLDER; file++) writeFileSync(join(folder, `${file}.py`), `x = ${file}\n`)
    if (index % 10 === 0) writeFileSync(join(folder, '.env'), 'TOKEN=x\n')
  }
}
