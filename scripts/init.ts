import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSettings, SETTINGS_PATH } from '#gpu-worker/gates/settings.ts'
import { AppError } from '#shared/errors.ts'
import { composeSettings } from './init/compose.ts'
import { findLinters } from './init/linters.ts'
import { surveyRepository } from './init/survey.ts'
import { listenForInterrupts } from './interrupts.ts'
import { openForLooking } from './opened-repository.ts'
import { toPlainText } from './plain-text.ts'
import { chooseRepository } from './repository-folder.ts'
import { projectFolder } from './setup/paths.mjs'

// npm run init: writes a first millwright.json from what is in a repository, so that its limits hold today.

const usage = `Usage: npm run init -- --repo PATH [--print]

  --repo PATH   the git repository that gets a millwright.json; one that is there is never changed
  --print       print it instead
  --help        this text`

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

process.exitCode = await main()

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: { repo: { type: 'string' }, print: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help === true) {
      console.log(usage)
      return 0
    }
    if (values.repo === undefined || values.repo === '') throw new Error(`--repo is missing\n\n${usage}`)
    const root = chooseRepository(values.repo, process.env.INIT_CWD ?? process.cwd(), projectFolder).path
    await init(root, values.print === true)
    return 0
  } catch (error) {
    const hint = error instanceof AppError && error.hint !== undefined ? `. ${error.hint}` : ''
    log(`${error instanceof Error ? error.message : String(error)}${hint}`)
    return 1
  }
}

async function init(root: string, isPrinted: boolean): Promise<void> {
  const survey = await surveyRepository(await openForLooking(root), listenForInterrupts(log))
  const { settings, notes } = composeSettings(survey)
  const text = `${JSON.stringify(settings, null, 2)}\n`
  // What this writes must be what the worker takes.
  parseSettings(text)
  if (isPrinted) process.stdout.write(text)
  else create(join(root, SETTINGS_PATH), text)
  for (const note of notes) log(toPlainText(note))
  for (const { found, entry } of findLinters(survey)) {
    log(`${found} is there: to have it judge what is written, add to checks.commands`)
    log(`  ${JSON.stringify(entry)}`)
  }
}

/** Makes the file; what is there already, a link too, stays as it is. */
function create(path: string, text: string): void {
  let file: number
  try {
    file = openSync(path, 'wx')
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    throw new Error(
      exists ? `${SETTINGS_PATH} is there already and stays as it is; --print shows a new one` : String(cause),
      {
        cause,
      },
    )
  }
  writeFileSync(file, text)
  log(`Wrote ${path}. docs/configuration.md says what else can stand there`)
}
