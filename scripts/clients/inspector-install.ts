import { installPinnedPackage } from '../pinned-package.ts'

/**
 * Installs MCP Inspector, which is too heavy to be one of our packages, and resolves to its program. Rejects with an Error for a
 * person.
 */
export const installInspector = (): Promise<string> =>
  installPinnedPackage({
    name: '@modelcontextprotocol/inspector',
    version: '2.12.0',
    folder: 'inspector',
    program: 'clients/launcher/build/index.js',
    // 110 MB from the registry, on a slow line.
    installMsMax: 3 * 60_000,
  })
