import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildWorkerdBundle } from '#scripts/workerd-bundle.ts'
import { wranglerConfig } from '#scripts/wrangler.ts'
import { buildConformanceBundle } from '../conformance/bundle.ts'

/** Builds what the tests of the project "workerd" run, once for all of them. */
export default async function buildWorkerd(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-workerd-'))
  const edge = join(folder, 'edge')
  const ports = join(folder, 'ports')
  const conformance = join(folder, 'conformance')
  await buildWorkerdBundle(edge, wranglerConfig)
  await buildWorkerdBundle(ports, join(import.meta.dirname, 'workerd-ports', 'wrangler.toml'))
  await buildConformanceBundle(conformance)
  project.provide('edgeBundle', edge)
  project.provide('portsBundle', ports)
  project.provide('conformanceBundle', conformance)
  return () => rmSync(folder, { recursive: true, force: true })
}
