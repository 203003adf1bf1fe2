import { execFile } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const PROBE_MS = 10_000

export interface Bubblewrap {
  readonly binary: string
  readonly canDisableNamespaces: boolean
}

const ADVICE = 'or start the worker with --unsandboxed-commands, with which commands run with all your rights'

/** Namespaces of its own, no rights in them, and none to get. */
export const isolation = (canDisableNamespaces: boolean): string[] => [
  '--unshare-all',
  // What --unshare-all does only if it can.
  '--unshare-user',
  ...(canDisableNamespaces ? ['--disable-userns'] : []),
  ...['--cap-drop', 'ALL', '--uid', '65534', '--gid', '65534', '--hostname', 'sandbox'],
  ...['--new-session', '--die-with-parent'],
]

/**
 * Finds bubblewrap in a search path, and tries whether this system lets it do what we need: some have it and forbid user
 * namespaces. `missing` says why there is none, and what the operator can do. Never rejects.
 */
export async function findBubblewrap(
  searchPath: string,
  named: string | undefined,
): Promise<Bubblewrap | { readonly missing: string }> {
  const candidates = searchPath.split(delimiter).map((folder) => (folder === '' ? '' : join(folder, 'bwrap')))
  const binary = named ?? candidates.find((path) => path !== '' && isExecutable(path))
  if (binary === undefined) {
    return { missing: `bubblewrap is not installed. Install it (Debian, Ubuntu: apt install bubblewrap), ${ADVICE}` }
  }
  try {
    const { stdout } = await execute(binary, ['--help'], { timeout: PROBE_MS })
    const canDisableNamespaces = stdout.includes('--disable-userns')
    const top = ['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev']
    await execute(binary, [...isolation(canDisableNamespaces), ...top, '--', '/bin/sh', '-c', ':'], {
      timeout: PROBE_MS,
      env: {},
    })
    return { binary, canDisableNamespaces }
  } catch (error) {
    const reason =
      error instanceof Error ? (error.message.split('\n').find((line) => line.includes('bwrap:')) ?? error.message) : ''
    return {
      missing: `bubblewrap does not work here (${reason.trim().slice(0, 200)}). Let it make user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile), ${ADVICE}`,
    }
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
