import type { QualityReport } from '#shared/schemas/quality.ts'
import type { CodeFigures, FigureName } from '#shared/tools/improvement-outcome.ts'
import { analyzeQuality, type QualityPorts } from '../analysis/quality.ts'
import { createFileChecker } from '../gates/file-checker.ts'
import type { SettingsSource } from '../gates/settings-source.ts'

/** Measures texts in place of one file, by the repository's rules, without running its commands. */
export type FigureSource = (path: string, text: string, signal: AbortSignal) => Promise<CodeFigures>

/** Comparing with the repository takes bounded time a call, and the next one goes on. */
const COMPARISONS_MAX = 6

export function createFigureSource(ports: Omit<QualityPorts, 'checker'>, settings: SettingsSource): FigureSource {
  // The repository's commands judge a file before it lands; they have no part in its figures.
  const withoutCommands: SettingsSource = async () => {
    const state = await settings()
    return { ...state, settings: { ...state.settings, commands: [] } }
  }
  const checker = createFileChecker({ parser: ports.parser, settings: withoutCommands })
  return async (path, text, signal) => {
    for (let round = 1; ; round++) {
      const report = await analyzeQuality({ ...ports, checker }, { path, name: path, text }, signal)
      if ((report.duplication?.files_left ?? 0) === 0 || round === COMPARISONS_MAX) return toFigures(report)
    }
  }
}

/** The comparable part of a report. */
export function toFigures(report: QualityReport): CodeFigures {
  const functions = report.complexity?.functions ?? null
  const sum = (each: (one: NonNullable<typeof functions>[number]) => number): number | null =>
    functions?.reduce((total, one) => total + each(one), 0) ?? null
  const most = (each: (one: NonNullable<typeof functions>[number]) => number): number | null =>
    functions?.reduce((highest, one) => Math.max(highest, each(one)), 0) ?? null
  const { duplication } = report
  return {
    score: report.score,
    issues: report.issues_total,
    lines: report.size.lines,
    code_lines: report.size.code_lines,
    cyclomatic: report.complexity?.cyclomatic ?? null,
    cyclomatic_total: sum(({ cyclomatic }) => cyclomatic - 1),
    cognitive: report.complexity?.cognitive ?? null,
    cognitive_total: sum(({ cognitive }) => cognitive),
    longest_function: most(({ lines }) => lines),
    nesting: most(({ nesting }) => nesting),
    parameters: most(({ parameters }) => parameters),
    // A part of the repository says nothing: another part may be compared the next time.
    duplicated_lines: duplication === null || duplication.files_left > 0 ? null : duplication.lines,
    missing_docs: report.missing_docs?.length ?? null,
    missing_types: report.missing_types?.length ?? null,
    unused_imports: report.unused_imports?.length ?? null,
  }
}

/** How much better a figure has become; below 0 for worse, null where one of the two is not known. */
export function gain(name: FigureName, before: CodeFigures, after: CodeFigures): number | null {
  const [was, is] = [before[name], after[name]]
  if (was === null || is === null) return null
  return name === 'score' ? is - was : was - is
}
