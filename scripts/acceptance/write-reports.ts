import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { ComposedReport } from './compose-report.ts'
import { ReportForm } from './report-form.ts'
import { toHtml } from './writers/html.ts'
import { toJunit } from './writers/junit.ts'
import { toYaml } from './writers/yaml.ts'

/** Writes the report in its three forms and answers their paths. Throws where it is not in the user's form. */
export function writeReports({ form, criteria }: ComposedReport, folder: string): string[] {
  const report = v.parse(ReportForm, form)
  mkdirSync(folder, { recursive: true })
  const texts = {
    'test_report.yaml': toYaml(report),
    'test_report.html': toHtml(report, criteria),
    'junit.xml': toJunit(report),
  }
  return Object.entries(texts).map(([name, text]) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  })
}
