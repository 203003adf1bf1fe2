import { AppError } from '#shared/errors.ts'
import type { ImprovementAction } from '#shared/tools/improvement-outcome.ts'
import { fileKind } from '../gates/file-kind.ts'
import { isTestFile } from '../gates/test-file.ts'
import { findTestPlace } from '../improvement/test-place.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import type { FileMeasure, MeasuredFile } from './measure.ts'
import { findNeighbours } from './neighbours.ts'
import { stepsForFile, type WantedStep } from './steps-for-file.ts'
import { createTestLookup } from './tests-of.ts'

export interface PlanRequest {
  /** Files and folders; null for the whole repository. */
  readonly paths: readonly string[] | null
  readonly stepsMax: number
  readonly actions: ReadonlySet<ImprovementAction> | null
  readonly hasGoal: boolean
  readonly canTest: boolean
}

export interface PlanPorts {
  readonly files: FileTree
  /** The repository's files that git does not ignore, in a steady order. */
  readonly listPaths: (signal: AbortSignal) => AsyncIterable<string>
  readonly measure: FileMeasure
}

export interface Plan {
  readonly steps: readonly WantedStep[]
  /** What did not fit in. */
  readonly stepsLeft: number
  readonly filesMeasured: number
  readonly neighbours: [string, string][]
}

/**
 * Measures the code and says what to do, the worst file first: the one with the lowest score, and among equals the one with the
 * most complex function. Tests are not improved: they are what proves the others.
 *
 * Rejects as FileTree does for a path that is none, with `not_found` for one that leads nowhere, and with `cancelled`.
 */
export async function makePlan(
  ports: PlanPorts,
  request: PlanRequest,
  signal: AbortSignal,
  onMeasured: (files: number) => void,
): Promise<Plan> {
  const everything: string[] = []
  for await (const path of ports.listPaths(signal)) if (isCode(path)) everything.push(path)
  const hasTests = createTestLookup(everything)
  const subjects = request.paths === null ? everything : await listAsked(ports.files, request.paths, everything)
  const testPlace = (path: string): string | null => findTestPlace(path, everything)?.path ?? null
  const wanted = { ...request, hasTests, testPlace }
  let filesMeasured = 0
  const found: { file: MeasuredFile; steps: WantedStep[] }[] = []
  for (const path of subjects.filter((each) => !isTestFile(each))) {
    if (signal.aborted) throw new AppError('cancelled', 'Cannot plan: the job was stopped')
    const file = await ports.measure(path, signal)
    if (file === null || !isSound(file)) continue
    filesMeasured++
    onMeasured(filesMeasured)
    const steps = stepsForFile(file, wanted)
    if (steps.length > 0) found.push({ file, steps })
  }
  found.sort((a, b) => byNeed(a.file, b.file))
  const all = found.flatMap(({ steps }) => steps)
  const steps = all.slice(0, request.stepsMax)
  const planned = new Set(steps.map(({ path }) => path))
  const neighbours = findNeighbours(found.map(({ file }) => file).filter(({ path }) => planned.has(path)))
  return { steps, stepsLeft: all.length - steps.length, filesMeasured, neighbours }
}

/** What does not parse has no figures to compare. */
const isSound = ({ report }: MeasuredFile): boolean =>
  !report.issues.some(({ rule, severity }) => rule === 'syntax' && severity === 'error')

const byNeed = (a: MeasuredFile, b: MeasuredFile): number =>
  a.report.score - b.report.score ||
  (b.report.complexity?.cognitive ?? 0) - (a.report.complexity?.cognitive ?? 0) ||
  (a.path < b.path ? -1 : 1)

const isCode = (path: string): boolean => {
  const kind = fileKind(path)
  return kind.isCode && kind.language !== null
}

/** The code that the caller named, each file once: a file by itself, a folder for all that is in it. */
async function listAsked(files: FileTree, asked: readonly string[], everything: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const text of asked) {
    const file = await resolveFile(files, text)
    const folder = file === null ? `${parseRepositoryPath(text)}/` : null
    const paths = folder === null ? [file] : everything.filter((path) => path.startsWith(folder))
    if (paths.length === 0) throw nothingAt(text)
    for (const path of paths) if (path !== null) found.add(path)
  }
  return [...found]
}

/** Null for a folder. */
async function resolveFile(files: FileTree, text: string): Promise<string | null> {
  try {
    const file = await files.resolve(text, 'read')
    if (file.exists) return file.path
  } catch (error) {
    // A folder in the place of a file, or no usable path at all: that, the path's parser says.
    if (error instanceof AppError && error.code === 'invalid_input') return null
    throw error
  }
  throw nothingAt(text)
}

const nothingAt = (text: string): AppError =>
  new AppError('not_found', `Cannot improve "${text}": there is no such file, or no code in the folder`, {
    hint: 'Ask list_files for the files',
  })
