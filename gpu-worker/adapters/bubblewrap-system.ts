import { existsSync, lstatSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ToolFolders } from './tool-folders.ts'

/** A command's own temp files, and its home. Taken from memory. */
const TEMP_BYTES_MAX = 512 * 1024 * 1024
/** Files of /etc that programs need to start: no accounts, no keys, no configuration of services. */
const ETC = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/alternatives',
  '/etc/localtime',
  '/etc/mime.types',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted/pem',
  '/etc/static',
]
/** Configuration of what an operator installed: a registry's token in an npmrc, say. */
const LOCAL_ETC = '/usr/local/etc'
/** Where systems keep their programs and libraries; `/nix/store` and `/gnu/store` hold no secrets by their own rules. */
const PROGRAMS = ['/usr', '/nix/store', '/gnu/store', '/run/current-system/sw']
const TOP = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

/**
 * Arguments for bwrap that show the system's programs, a fresh /tmp, /proc and /dev, and nothing of any person but these
 * folders, with what is masked in them empty.
 */
export function systemView(work: string, folders: readonly string[], masked: ToolFolders['masked']): string[] {
  const present = (paths: readonly string[]): string[] => paths.filter((path) => existsSync(path))
  const size = String(TEMP_BYTES_MAX)
  return [
    ...present(PROGRAMS).flatMap((path) => ['--ro-bind', path, path]),
    ...TOP.flatMap(topFolder),
    ...present(ETC).flatMap((path) => ['--ro-bind', path, path]),
    ...['--ro-bind', etcFile(work, 'passwd', 'nobody:x:65534:65534:nobody:/tmp/home:/bin/sh\n'), '/etc/passwd'],
    ...['--ro-bind', etcFile(work, 'group', 'nogroup:x:65534:\n'), '/etc/group'],
    ...['--ro-bind', etcFile(work, 'hosts', '127.0.0.1 localhost sandbox\n::1 localhost\n'), '/etc/hosts'],
    ...(existsSync(LOCAL_ETC) ? ['--size', '4096', '--tmpfs', LOCAL_ETC, '--remount-ro', LOCAL_ETC] : []),
    ...['--proc', '/proc', ...kernelSettings().flatMap((path) => ['--ro-bind', path, path])],
    ...['--dev', '/dev', '--size', size, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...[
      '--size',
      size,
      '--tmpfs',
      '/tmp',
      '--dir',
      '/tmp/home',
      '--dir',
      '/tmp/cache',
      '--symlink',
      '/tmp',
      '/var/tmp',
    ],
    ...folders.flatMap((path) => ['--ro-bind', path, path]),
    ...masked.flatMap(({ path, kind }) =>
      kind === 'file'
        ? ['--ro-bind', etcFile(work, 'nothing', ''), path]
        : ['--size', '4096', '--tmpfs', path, '--remount-ro', path],
    ),
  ]
}

/**
 * What in /proc is the kernel's and not a process's, and may be written to: for root, which stays root to these without
 * any capability, and could have the kernel run a program of its choice outside (core_pattern).
 */
function kernelSettings(): string[] {
  if (process.getuid?.() !== 0) return []
  return readdirSync('/proc')
    .filter((name) => !/^\d+$/.test(name))
    .map((name) => join('/proc', name))
    .filter((path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false })
      return stat !== undefined && (stat.isDirectory() || (stat.isFile() && (stat.mode & 0o222) !== 0))
    })
}

/** On most systems now a link into /usr, which inside leads into the /usr of the sandbox. */
function topFolder(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return []
  return stat.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
}

function etcFile(work: string, name: string, text: string): string {
  const file = join(work, name)
  writeFileSync(file, text)
  return file
}
