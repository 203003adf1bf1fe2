import { availableParallelism } from 'node:os'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { createTreeSitterPool } from '#gpu-worker/adapters/tree-sitter-pool.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import { createRepositoryValidation, type RepositoryReport } from '#gpu-worker/validation/repository-validation.ts'
import { openForLooking } from '#scripts/opened-repository.ts'
import { createTempRepository } from '#test/support/temp-repository.ts'
import type { Figure } from '../figure.ts'
import { type Row, toRow } from '../row.ts'
import { sampleRepository } from '../sample-repository.ts'
import { median, medianRatio } from '../statistics.ts'

const FILES = 5000
const QUICK_FILES = 500
/** As of the issue that asked for it: on a machine of two cores. */
const SECONDS_MAX = 10
const THREADS_MAX = 4

/**
 * A whole repository by its rules, through what `run_all_validations` calls: each file the first time, and when none has
 * changed, beside what reading them takes; and how long it is silent in between.
 */
export const measureValidation: Figure = async ({ quick, signal, log }) => {
  const count = quick ? QUICK_FILES : FILES
  log(`validation: making ${count} files`)
  const temporary = await createTempRepository(sampleRepository(count))
  try {
    return await measure(temporary.root, count, quick ? 1 : 3, signal)
  } finally {
    temporary.remove()
  }
}

async function measure(root: string, count: number, rounds: number, signal: AbortSignal): Promise<Row[]> {
  const files = await createNodeFileTree({ root })
  const { repository, list } = await openForLooking(root)
  const times = { reading: [] as number[], first: [] as number[], next: [] as number[] }
  const processor: number[] = []
  const silences: number[] = []
  for (let round = 0; round < rounds; round++) {
    let begun = performance.now()
    for await (const { path, kind } of list(signal)) if (kind === 'file') await files.read(path, 1_000_000)
    times.reading.push(secondsSince(begun))
    const validation = createRepositoryValidation({
      files,
      repository,
      list,
      settings: createSettingsSource(files),
      createParser: () => createTreeSitterPool(Math.min(THREADS_MAX, availableParallelism())),
      registry: null,
    })
    for (const kind of ['first', 'next'] as const) {
      begun = performance.now()
      const used = process.cpuUsage()
      let heard = begun
      let silence = 0
      const onProgress = (): void => {
        silence = Math.max(silence, secondsSince(heard))
        heard = performance.now()
      }
      check(await validation.run(null, { signal, onProgress }), count, kind)
      onProgress()
      times[kind].push(secondsSince(begun))
      if (kind === 'next') continue
      const { user, system } = process.cpuUsage(used)
      processor.push((user + system) / 1e6)
      silences.push(silence)
    }
  }
  const reading = `reading ${count} files of mixed languages`
  const row = (name: string, seconds: readonly number[], secondsMax?: number) =>
    toRow({
      name,
      value: median(seconds),
      unit: 's',
      comparedWith: { name: reading, ratio: medianRatio(seconds, times.reading) },
      ...(secondsMax === undefined ? {} : { target: { of: 'value', max: secondsMax } }),
    })
  return [
    toRow({ name: reading, value: median(times.reading), unit: 's' }),
    row(`validating ${count} files, the first time`, times.first, SECONDS_MAX),
    toRow({ name: 'processor time of that, all threads', value: median(processor), unit: 's' }),
    row('the same when nothing has changed', times.next),
    toRow({ name: 'longest time without progress', value: Math.max(...silences), unit: 's' }),
  ]
}

function check(report: RepositoryReport, count: number, kind: 'first' | 'next'): void {
  const known = kind === 'first' ? 0 : count
  if (report.filesChecked !== count || report.filesKnown !== known || report.filesSkipped > 0)
    throw new Error(`Not as it should be: ${report.filesChecked} checked, ${report.filesKnown} known`)
}

const secondsSince = (begun: number): number => (performance.now() - begun) / 1000
