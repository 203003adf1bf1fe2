/** Where the operator reads what happened. Never given a token, a file's text or a prompt. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void
  /** `error` is written whole, with its causes: callers of the API never see it. */
  error(message: string, error: unknown, fields?: Record<string, unknown>): void
}
