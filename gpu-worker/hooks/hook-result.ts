/** What became of one hook. */
export interface HookResult {
  readonly id: string
  readonly name: string
  /** Null for a hook that did not run, as no file was for it. */
  readonly passed: boolean | null
  readonly output: string
}
