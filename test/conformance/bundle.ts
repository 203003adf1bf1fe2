import { join } from 'node:path'
import { buildWorkerdBundle } from '#scripts/workerd-bundle.ts'
import { wranglerConfig } from '#scripts/wrangler.ts'

/** Builds the edge with the fixtures into a folder, by the configuration of the product. */
export function buildConformanceBundle(folder: string): Promise<void> {
  const file = join(import.meta.dirname, 'workerd-entry.ts')
  return buildWorkerdBundle(folder, wranglerConfig, { file, objects: { TASKS: 'TaskObject' } })
}
