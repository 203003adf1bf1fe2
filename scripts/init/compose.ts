import { fileKind } from '#gpu-worker/gates/file-kind.ts'
import type { SettingsFile } from '#gpu-worker/gates/settings-schema.ts'
import { findFileNaming } from './file-naming.ts'
import { chooseLineLimits } from './line-limits.ts'
import { findReadmeHabit } from './readme-habit.ts'
import type { Survey } from './survey.ts'
import { findTestLayout } from './test-layout.ts'

export interface Composed {
  readonly settings: SettingsFile
  /** What a person should know about it, a sentence each. */
  readonly notes: readonly string[]
}

/** Written by package managers, never by hand. */
const LOCK_FILES: ReadonlySet<string> = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'poetry.lock',
  'uv.lock',
  'pdm.lock',
  'Pipfile.lock',
  'Cargo.lock',
  'go.sum',
  'Gemfile.lock',
  'composer.lock',
])

/** Rules that the repository keeps today, as far as its files tell; what it has no habit of is not asked for. */
export function composeSettings(survey: Survey): Composed {
  const tests = findTestLayout(survey.files)
  const readmes = findReadmeHabit(survey.files)
  const naming = findFileNaming(survey.files)
  const locks = [...new Set(survey.files.map((path) => path.slice(path.lastIndexOf('/') + 1)))].filter((name) =>
    LOCK_FILES.has(name),
  )
  const { limits, note } = chooseLineLimits(survey.lineCounts)
  const settings: SettingsFile = {
    checks: {
      ...(tests === null ? { severities: { missing_tests: 'off' } } : {}),
      line_limit: limits,
      ...(naming.length === 0 ? {} : { naming }),
      ...(tests === null ? {} : { missing_tests: tests }),
      ...(readmes === null ? {} : { missing_readmes: readmes }),
    },
    ...(locks.length === 0 ? {} : { protected_paths: locks.toSorted() }),
  }
  const notes = [
    languagesNote(survey.files),
    ...(note === null ? [] : [note]),
    ...(tests === null ? ['No tests were found, so none are asked for (severities.missing_tests)'] : []),
  ]
  return { settings, notes }
}

function languagesNote(files: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const path of files) {
    const { name, isCode } = fileKind(path)
    if (isCode && name !== null) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const most = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, 5)
  return most.length === 0
    ? `${files.length} files, none of them code`
    : `${files.length} files: ${most.map(([name, count]) => `${count} ${name}`).join(', ')}`
}
