import { findPinnedPackage, installPinnedPackage, type PinnedPackage } from '../../pinned-package.ts'

const filesystemServer: PinnedPackage = {
  name: '@modelcontextprotocol/server-filesystem',
  // The one that the figures were taken with.
  version: '2026.8.31',
  folder: 'peers',
  program: 'dist/index.js',
  installMsMax: 5 * 60_000,
}

/** The program of the official filesystem server; null where it is not installed. */
export const findFilesystemServer = (): string | null => findPinnedPackage(filesystemServer)

/** Installs it, unless that is done. Rejects with an Error for a person. */
export async function installFilesystemServer(log: (line: string) => void): Promise<string> {
  const { name, version } = filesystemServer
  log(`filesystem server: ${findFilesystemServer() === null ? `installing ${name} ${version}` : 'installed already'}`)
  return installPinnedPackage(filesystemServer)
}
