import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createTreeSitterPool } from '#gpu-worker/adapters/tree-sitter-pool.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import { toComplianceOutcome } from '#gpu-worker/validation/outcome.ts'
import { createRepositoryValidation, type RepositoryReport } from '#gpu-worker/validation/repository-validation.ts'
import { toSarif } from '#gpu-worker/validation/sarif.ts'
import { AppError } from '#shared/errors.ts'
import { listenForInterrupts } from './interrupts.ts'
import { openForLooking } from './opened-repository.ts'
import { toPlainText } from './plain-text.ts'
import { chooseRepository } from './repository-folder.ts'
import { projectFolder } from './setup/paths.mjs'
import { readVersion } from './version.ts'

// npm run validate: what run_all_validations finds, without a server, for people and for continuous integration.

const usage = `Usage: npm run validate -- --repo PATH [--sarif FILE] [PATH...]

  --repo PATH    the git repository to check, by its millwright.json
  --sarif FILE   write what was found as SARIF 2.1.0
  PATH           files and folders of the repository to check; all where left out
  --help         this text

Exit status: 0 nothing required is broken, 1 something is, or not everything could be looked at, 2 it could not be checked`

/** Findings of one rule that are printed. */
const SHOWN_OF_RULE_MAX = 20
const THREADS_MAX = 4

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

process.exitCode = await main()

async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { repo: { type: 'string' }, sarif: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help === true) {
      console.log(usage)
      return 0
    }
    if (values.repo === undefined || values.repo === '') throw new Error(`--repo is missing\n\n${usage}`)
    // npm runs scripts in Millwright's folder and says where the person was.
    const userFolder = process.env.INIT_CWD ?? process.cwd()
    const root = chooseRepository(values.repo, userFolder, projectFolder).path
    const report = await validate(root, positionals)
    printReport(report)
    if (values.sarif !== undefined) {
      const text = JSON.stringify(toSarif(report, readVersion()), null, 2)
      writeFileSync(resolve(userFolder, values.sarif), `${text}\n`)
    }
    return report.passed ? 0 : 1
  } catch (error) {
    if (error instanceof AppError)
      log(toPlainText(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`))
    else log(error instanceof Error ? error.message : String(error))
    return 2
  }
}

async function validate(root: string, paths: readonly string[]): Promise<RepositoryReport> {
  const { files, repository, list } = await openForLooking(root)
  const validation = createRepositoryValidation({
    files,
    repository,
    list,
    settings: createSettingsSource(files),
    createParser: () => createTreeSitterPool(Math.min(THREADS_MAX, availableParallelism())),
    registry: null,
  })
  const show = process.stderr.isTTY
    ? ({ message }: { message: string }) => void process.stderr.write(`\r${message}\x1b[K`)
    : () => undefined
  try {
    return await validation.run(paths.length === 0 ? null : paths, {
      signal: listenForInterrupts(log),
      onProgress: show,
    })
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

function printReport(report: RepositoryReport): void {
  const { score, rules } = toComplianceOutcome(report, { sarif: '', commit: null })
  for (const { rule, severity, failed, hint } of rules.filter((each) => each.failed > 0).toReversed()) {
    const found = report.findings.filter((finding) => finding.rule === rule)
    console.log(`${rule} (${severity}): ${failed} failed${hint === null ? '' : `. ${hint}`}`)
    for (const { path, line, message } of found.slice(0, SHOWN_OF_RULE_MAX))
      console.log(toPlainText(`  ${path}${line === null ? '' : `:${line}`}: ${message}`))
    const more = (report.totals.get(rule) ?? 0) - Math.min(found.length, SHOWN_OF_RULE_MAX)
    if (more > 0) console.log(`  [${more} more]`)
  }
  for (const { rule, reason } of report.notRun) console.log(`${rule} did not run: ${reason}`)
  if (report.filesSkipped > 0)
    console.log(`${report.filesSkipped} files were not checked: too large, no text, protected`)
  if (report.incomplete !== null) console.log(`Not everything was looked at: ${report.incomplete}`)
  console.log(`${report.passed ? 'Passed' : 'Failed'}: ${report.filesChecked} files, score ${score} of 100`)
}
