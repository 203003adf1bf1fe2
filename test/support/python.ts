import { execFileSync } from 'node:child_process'

/** The machine's Python 3.10 or newer, for tests that run what was written in it; `missing` is the reason of a skip. */
export const python: { readonly path: string | null; readonly missing: string | null } = find()

/** Whether the machine's Python has pytest. */
export const hasPytest: boolean = runs(['-c', 'import pytest'])

function find(): { path: string | null; missing: string | null } {
  return runs(['-c', 'import sys; sys.exit(sys.version_info < (3, 10))'])
    ? { path: 'python3', missing: null }
    : { path: null, missing: 'skipped: this machine has no Python 3.10' }
}

function runs(args: string[]): boolean {
  try {
    execFileSync('python3', args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
