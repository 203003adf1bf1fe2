import * as v from 'valibot'

/** Every code that a caller can meet. Stable: a code is never renamed or reused. */
export const ErrorCode = v.picklist([
  'invalid_input',
  'unauthenticated',
  'forbidden',
  'not_found',
  'already_exists',
  'file_already_managed',
  'not_owner',
  'protected_path',
  'outside_repository',
  'conflict',
  'confirmation_required',
  'checks_failed',
  'too_large',
  'context_overflow',
  'busy',
  'rate_limited',
  'worker_offline',
  'model_unavailable',
  'timeout',
  'cancelled',
  'repository_busy',
  'disk_full',
  'unavailable',
  'internal',
])
export type ErrorCode = v.InferOutput<typeof ErrorCode>

/** What a refusal looks like on the wire and in a tool's result. `hint` says what the caller can do next. */
export const WireError = v.object({
  code: ErrorCode,
  message: v.string(),
  hint: v.optional(v.string()),
  /** Facts that belong to the refusal: the checks that failed, the diff that was refused, `retry_after_ms`. */
  details: v.optional(v.record(v.string(), v.unknown())),
})
export type WireError = v.InferOutput<typeof WireError>

export interface AppErrorOptions extends ErrorOptions {
  hint?: string
  details?: Record<string, unknown>
}

/** A refusal that we planned. Crosses the wire as data; anything else that is thrown is our bug. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.hint = options.hint
    this.details = options.details
  }

  /** The error as data, without cause or stack. */
  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    }
  }

  static fromWire(error: WireError): AppError {
    return new AppError(error.code, error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.details === undefined ? {} : { details: error.details }),
    })
  }
}

/** Longer than the path of any field that there is. */
const FIELD_PATH_CHARACTERS_MAX = 100

/** One refusal for a list of schema issues: each names its field, none repeats the value that was sent. */
export function invalidInput(what: string, issues: readonly v.BaseIssue<unknown>[]): AppError {
  const lines = issues.slice(0, 8).map((issue) => {
    const path = v.getDotPath(issue)
    return `${path === null ? '(whole)' : showPath(path)}: ${describeIssue(issue)}`
  })
  const more = issues.length > lines.length ? `; and ${issues.length - lines.length} more` : ''
  return new AppError('invalid_input', `Cannot read ${what}: ${lines.join('; ')}${more}`, {
    hint: 'Correct the named fields and call again',
  })
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  // valibot's own text repeats the received value, which may be megabytes or a secret.
  if (issue.kind === 'schema') {
    return issue.expected === 'never'
      ? 'unknown field'
      : `expected ${issue.expected ?? issue.type}, received ${typeName(issue.input)}`
  }
  // The numbers in valibot's texts about lengths are lengths; in those about numbers they are what was sent.
  const { requirement } = issue as { requirement?: unknown }
  if (issue.type === 'integer') return 'must be a whole number'
  if (issue.type === 'min_value') return `must be at least ${requirement}`
  if (issue.type === 'max_value') return `must be at most ${requirement}`
  return issue.message.length > 200 ? `does not satisfy ${issue.type}` : issue.message
}

/** Where an unknown field is refused, its name is the caller's own text: cut, and without what could move a cursor. */
function showPath(path: string): string {
  const shown = path.replace(/\p{C}/gu, '\ufffd')
  return shown.length > FIELD_PATH_CHARACTERS_MAX ? `${shown.slice(0, FIELD_PATH_CHARACTERS_MAX)}…` : shown
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  return Array.isArray(value) ? 'array' : typeof value
}
