import * as v from 'valibot'
import { AgentId, JobId, Sha256 } from '../ids.ts'
import {
  CONTEXT_FILES_MAX,
  FILE_BYTES_MAX,
  NAME_CHARACTERS_MAX,
  PAGE_MAX,
  PATH_BYTES_MAX,
  WAIT_SECONDS_MAX,
} from '../protocol/limits.ts'

// Fields that several tools share. Descriptions are part of what every caller pays for: few words, no repetition.

export const agentId = AgentId
export const jobId = v.pipe(JobId, v.description('As a tool returned it'))
/** A path as a caller writes it. Only the worker can say which file it names: see gpu-worker/workspace. */
export const path = v.pipe(v.string(), v.minLength(1), v.maxLength(PATH_BYTES_MAX))
export const name = v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARACTERS_MAX))
/** Bounded in UTF-16 units, which never outnumber the bytes; the worker counts the bytes. */
export const fileContent = v.pipe(v.string(), v.maxLength(FILE_BYTES_MAX))
export const expectedSha256 = v.pipe(Sha256, v.description('Refuse with conflict unless the file has this hash'))
/** Says that the caller knows what is lost; for clients whose person cannot be asked. */
export const confirm = v.optional(v.boolean())
export const lineOffset = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Lines to skip'))
export const lineLimit = v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Lines to return'))
/** The longest cursor is a path in base64. */
const CURSOR_CHARACTERS_MAX = Math.ceil((PATH_BYTES_MAX * 4) / 3)
export const cursor = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(CURSOR_CHARACTERS_MAX),
  v.description('next_cursor of the page before'),
)
export const limit = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PAGE_MAX))
export const waitSeconds = v.pipe(v.number(), v.minValue(0), v.maxValue(WAIT_SECONDS_MAX))
/** `v.record` takes an array for an object and drops these names; a file that is not shown must not go unsaid. */
const UNUSABLE_NAMES = ['__proto__', 'constructor', 'prototype']

export const context = v.pipe(
  v.unknown(),
  v.check((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object'),
  v.check(
    (value) => !UNUSABLE_NAMES.some((unusable) => Object.hasOwn(Object(value), unusable)),
    `takes any names but ${UNUSABLE_NAMES.join(', ')}`,
  ),
  v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(64)), path),
  v.maxEntries(CONTEXT_FILES_MAX),
  v.description('Files for the model to read: any name -> path'),
)

/** Appends the checks to a text for a model: only what it has to act on. */
export function checksToText(checks: {
  passed: boolean
  ran: string[]
  skipped: { rule: string; reason: string }[]
  violations: { rule: string; severity: string; message: string; line: number | null }[]
}): string {
  const lines = checks.violations.map(
    (violation) =>
      `- ${violation.severity} ${violation.rule}${violation.line === null ? '' : ` (line ${violation.line})`}: ${violation.message}`,
  )
  for (const skip of checks.skipped) lines.push(`- not checked ${skip.rule}: ${skip.reason}`)
  const verdict = checks.passed ? 'Checks passed' : 'Checks failed'
  const ran = checks.ran.length === 0 ? 'none ran' : checks.ran.join(', ')
  return [`${verdict} (${ran})`, ...lines].join('\n')
}

/** A diff in a fence for a model, or a line that says that there is none. */
export function diffToText(diff: string): string {
  return diff === '' ? 'No change' : `\`\`\`diff\n${diff.endsWith('\n') ? diff : `${diff}\n`}\`\`\``
}
