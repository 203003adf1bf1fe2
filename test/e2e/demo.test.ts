import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { projectFolder } from '#scripts/setup/paths.mjs'

const Report = v.object({
  ok: v.boolean(),
  steps: v.array(v.object({ name: v.string(), ok: v.boolean(), durationMs: v.number(), detail: v.string() })),
})

describe('npm run demo', () => {
  it('does the main job on a repository of its own, and every step holds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millwright-demo-test-'))
    try {
      const file = join(folder, 'steps.json')
      const demo = join(projectFolder, 'scripts', 'demo.ts')
      const { stdout } = await promisify(execFile)(process.execPath, [demo, '--json', file], { timeout: 60_000 })
      const report = v.parse(Report, JSON.parse(readFileSync(file, 'utf8')))
      expect(report.ok, stdout).toBe(true)
      expect(report.steps.filter((step) => !step.ok)).toEqual([])
      const details = report.steps.map((step) => step.detail).join('\n')
      expect(details).toContain('+class User')
      expect(details).toContain('+def create_user')
      expect(details).toMatch(/checks passed: syntax, line_limit/)
      expect(details).toMatch(/\d+ prompt \+ \d+ answer tokens/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 70_000)
})
