import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createDuplicationIndex } from '#gpu-worker/analysis/duplication.ts'
import { analyzeQuality, type QualityPorts } from '#gpu-worker/analysis/quality.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import type { FileChecker } from '#gpu-worker/ports/file-checker.ts'
import type { SourceParser } from '#gpu-worker/ports/source-parser.ts'
import { createComparedFiles } from '#gpu-worker/tools/quality.ts'
import { createTempRepository } from '#test/support/temp-repository.ts'
import { projectFolder } from '../../setup/paths.mjs'
import type { Figure } from '../figure.ts'
import { type Row, toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

const FILES = 5000
const QUICK_FILES = 500

interface World {
  readonly parser: SourceParser
  readonly checker: FileChecker
  readonly signal: AbortSignal
}

/**
 * The figures of code, through the functions that `analyze_code_quality` calls: on this project's own sources without the
 * comparison, and the comparison of one file with a repository of 5,000.
 */
export const measureAnalysis: Figure = async ({ quick, signal, log }) => {
  const parser = createTreeSitterParser()
  const checker = createFileChecker({ parser })
  try {
    const world: World = { parser, checker, signal }
    log('analysis: files')
    const files = await measureFiles(world, quick ? 2 : 7, quick ? 40 : 200)
    log('analysis: comparing')
    return [...files, ...(await measureComparing(world, quick ? 1 : 3, quick ? QUICK_FILES : FILES))]
  } finally {
    await checker.close()
  }
}

/** Files per second, with all figures, beside what the checks alone take. */
async function measureFiles({ parser, checker, signal }: World, rounds: number, count: number): Promise<Row[]> {
  const sources = globSync('{gpu-worker,functions,shared}/**/*.ts', { cwd: projectFolder }).toSorted().slice(0, count)
  const texts = sources.map((name) => ({ name, text: readFileSync(join(projectFolder, name), 'utf8') }))
  const files = { async *list() {}, read: async () => null }
  const ports: QualityPorts = { parser, checker, duplication: createDuplicationIndex(parser), files }
  const contenders = {
    checks: (each: { name: string; text: string }) =>
      checker.check({ path: each.name, text: each.text, before: null }, signal),
    analysis: (each: { name: string; text: string }) => analyzeQuality(ports, { path: each.name, ...each }, signal),
  }
  const rates = { checks: [] as number[], analysis: [] as number[] }
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 === 0 ? (['checks', 'analysis'] as const) : (['analysis', 'checks'] as const)
    for (const name of order) {
      const begun = performance.now()
      for (const each of texts) await contenders[name](each)
      // The first round loads the grammar and warms up both.
      if (round >= 0) rates[name].push(texts.length / secondsSince(begun))
    }
  }
  const checks = { name: 'checks of a source file', value: median(rates.checks), unit: 'files/s' }
  const ratio = medianRatio(rates.analysis, rates.checks)
  return [
    toRow(checks),
    toRow({
      name: 'analysis of a source file, not compared',
      value: median(rates.analysis),
      unit: 'files/s',
      comparedWith: { name: checks.name, ratio },
    }),
  ]
}

/** One file against many: the first time, and when nothing has changed since. */
async function measureComparing({ parser, checker, signal }: World, rounds: number, count: number): Promise<Row[]> {
  const texts = Object.fromEntries(Array.from({ length: count }, (_, index) => [`src/m${index}.py`, moduleText(index)]))
  const temporary = await createTempRepository(texts)
  try {
    const files = await createNodeFileTree({ root: temporary.root })
    const repository = await openRepository({ root: temporary.root })
    const compared = createComparedFiles({ files, repository })
    const times = { reading: [] as number[], first: [] as number[], next: [] as number[] }
    const subject = { path: null, name: 'content.py', text: `${moduleText(count)}\n\n${moduleText(7)}` }
    for (let round = 0; round < rounds; round++) {
      let begun = performance.now()
      for await (const { path } of compared.list(signal)) await compared.read(path)
      times.reading.push(secondsSince(begun))
      const ports: QualityPorts = { parser, checker, duplication: createDuplicationIndex(parser), files: compared }
      begun = performance.now()
      await compareAll(ports, subject, signal)
      times.first.push(secondsSince(begun))
      begun = performance.now()
      await compareAll(ports, subject, signal)
      times.next.push(secondsSince(begun))
    }
    const reading = `reading ${count} files`
    const row = (name: string, seconds: readonly number[]) =>
      toRow({
        name,
        value: median(seconds),
        unit: 's',
        comparedWith: { name: reading, ratio: medianRatio(seconds, times.reading) },
      })
    return [
      toRow({ name: reading, value: median(times.reading), unit: 's' }),
      row(`first analysis compared with ${count} files`, times.first),
      row('the same when nothing has changed', times.next),
    ]
  } finally {
    temporary.remove()
  }
}

/** Calls until every file has been compared, as a caller who is told `files_left` does. */
async function compareAll(ports: QualityPorts, subject: Parameters<typeof analyzeQuality>[1], signal: AbortSignal) {
  for (;;) {
    const { duplication } = await analyzeQuality(ports, subject, signal)
    if (duplication?.copies.length === 0 && duplication.files_left === 0)
      throw new Error('The copy that is there was not found')
    if (duplication?.files_left === 0) return
  }
}

/** A module of 90 lines and 900 tokens, like no other. */
function moduleText(index: number): string {
  const functions = Array.from({ length: 6 }, (_, at) => {
    const name = `step_${index}_${at}`
    const cases = Array.from({ length: 4 }, (_unused, step) => {
      const key = `field_${(index * 31 + at * 7 + step) % 997}`
      return `        if item.${key} > ${index + step}:\n            total += weight_${at}(item.${key}, ${step})\n`
    })
    return `def ${name}(items, limit=${at}):\n    """Adds up."""\n    total = limit\n    for item in items:\n${cases.join('')}    return total\n`
  })
  return functions.join('\n\n')
}

const secondsSince = (begun: number): number => (performance.now() - begun) / 1000
