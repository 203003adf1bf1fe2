import { stringify } from 'yaml'
import type { ReportForm } from '../report-form.ts'

/** The report as YAML: read again, it is the same form. Texts are quoted, so that no reader takes one for a date. */
export const toYaml = (form: ReportForm): string =>
  stringify(form, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' })
