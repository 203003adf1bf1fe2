import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { WorkspaceId } from '#shared/ids.ts'
import { edgeRuntime } from './edge-runtime.ts'

/**
 * All that the registry of a running edge holds of one workspace, from its files: what no answer shows. In workerd each
 * workspace has a file of its own, and all are read.
 */
export function registryRows(edgeFolder: string, workspace: WorkspaceId): unknown[] {
  return registryFiles(edgeFolder).flatMap((file) => {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      return ['agents', 'jobs', 'messages'].flatMap((table) =>
        database.prepare(`SELECT * FROM ${table} WHERE workspace = ? ORDER BY 1, 2`).all(workspace),
      )
    } finally {
      database.close()
    }
  })
}

function registryFiles(edgeFolder: string): string[] {
  if (edgeRuntime() === 'node') return [join(edgeFolder, 'registry.sqlite')]
  const files = readdirSync(join(edgeFolder, 'workerd'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /RegistryObject[\\/][0-9a-f]+\.sqlite$/.test(path),
  )
  if (files.length === 0) throw new Error('The registry has no file yet')
  return files.toSorted().map((path) => join(edgeFolder, 'workerd', path))
}
