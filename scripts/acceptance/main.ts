import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { listenForInterrupts } from '../interrupts.ts'
import { findChromium } from '../setup/chromium.mjs'
import { projectFolder } from '../setup/paths.mjs'
import { defaultDataFolder } from '../start-options.ts'
import { type AcceptanceOptions, acceptanceUsage, parseAcceptanceOptions } from './options.ts'
import { runAcceptance } from './run-acceptance.ts'
import { writeReports } from './write-reports.ts'

// npm run acceptance: the user's procedures and suites against the whole system, and the report that comes of them. The exit
// status is 0 where the success criteria hold, 1 where they do not, 2 where nothing could be run.

process.exitCode = await main()

async function main(): Promise<number> {
  let options: AcceptanceOptions
  try {
    const userFolder = process.env.INIT_CWD ?? process.cwd()
    options = parseAcceptanceOptions(process.argv.slice(2), userFolder, join(projectFolder, 'reports'))
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${acceptanceUsage}\n`)
    return 2
  }
  if (options.help) {
    console.log(acceptanceUsage)
    return 0
  }
  const say = (line: string): void => console.log(line)
  try {
    const report = await runAcceptance({
      ...options,
      modelsFolder: process.env.MILLWRIGHT_MODELS ?? join(dirname(ownDataFolder()), 'models'),
      browser: options.browser ? browserHere() : { missing: 'left out by --no-browser' },
      say,
      signal: listenForInterrupts(say),
    })
    say('\nCriteria')
    for (const { name, holds, says } of report.criteria) {
      say(`  ${holds === null ? 'not judged' : holds ? 'holds' : 'DOES NOT HOLD'}  ${name}: ${says}`)
    }
    say('')
    for (const path of writeReports(report, options.out)) say(`Wrote ${path}`)
    say(
      `${report.form.test_report.summary.overall_status}: the success criteria ${report.accepted ? 'hold' : 'do not hold'}`,
    )
    return report.accepted ? 0 : 1
  } catch (error) {
    process.stderr.write(`Cannot run it: ${messageOf(error)}\n`)
    return 2
  }
}

/** Where npm start keeps what it downloads: models that are there already are not fetched again. */
function ownDataFolder(): string {
  return defaultDataFolder(projectFolder, { platform: process.platform, env: process.env, home: homedir() })
}

function browserHere(): { path: string } | { missing: string } {
  const path = findChromium()
  return path === undefined
    ? { missing: process.env.MILLWRIGHT_CHROMIUM_MISSING ?? 'there is no Chromium on the PATH' }
    : { path }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
