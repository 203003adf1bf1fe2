import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandLine, type CommandReport, REPORT_BYTES_MAX } from '../ports/command-runner.ts'

export interface ReportFile {
  /** Absolute, outside any sandbox. */
  readonly file: string
  /** The command line with the path of the report, as the command sees it, in its place. */
  fill(commandLine: CommandLine, path: string): CommandLine
  read(): CommandReport
}

/** An empty file in a folder of our own that a command writes to. `mark` stands for its path in the command line. */
export function createReportFile(work: string, mark: string): ReportFile {
  const file = join(work, 'report')
  writeFileSync(file, '')
  return {
    file,
    fill([program, ...args], path) {
      const fill = (text: string): string => text.replaceAll(mark, () => path)
      return [fill(program), ...args.map(fill)]
    },
    read() {
      // Without a sandbox a command may remove it.
      const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
      if (bytes === 0) return { bytes, text: '' }
      return { bytes, text: bytes > REPORT_BYTES_MAX ? null : readFileSync(file, 'utf8') }
    },
  }
}
