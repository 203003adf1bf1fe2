import * as v from 'valibot'
import { JobId } from '#shared/ids.ts'
import type { ReadReport } from '#shared/protocol/worker-calls.ts'
import { jobSarifUri } from '#shared/resource-uris.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { Registry } from '../ports/registry.ts'
import type { ReportStore } from '../ports/report-store.ts'
import type { Repository } from '../ports/repository.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { type ReportPlace, toComplianceOutcome, toValidationOutcome } from '../validation/outcome.ts'
import { createRepositoryValidation, type RepositoryReport } from '../validation/repository-validation.ts'
import { toSarif } from '../validation/sarif.ts'
import { visible } from './files.ts'
import type { JobContext, JobHandlers } from './handler.ts'

export interface ValidationToolPorts {
  readonly files: FileTree
  readonly repository: Repository
  readonly registry: Registry
  readonly settings: SettingsSource
  readonly reports: ReportStore
  /** A parser for one look at the whole repository. */
  readonly createParser: () => SourceParser
  readonly version: string
}

/** Both keep what they have learnt of unchanged files from call to call, together. */
export function createValidationTools(
  ports: ValidationToolPorts,
): JobHandlers<'run_all_validations' | 'check_compliance'> {
  const validation = createRepositoryValidation({ ...ports, list: (signal) => visible(ports, '', null, signal) })

  async function run(paths: readonly string[] | undefined, context: JobContext): Promise<Reported> {
    const { commits } = await ports.repository.log({ limit: 1, path: null, cursor: null })
    const report = await validation.run(paths ?? null, context)
    const job = v.parse(JobId, context.jobId)
    await ports.reports.keep(job, `${JSON.stringify(toSarif(report, ports.version))}\n`)
    return { report, place: { sarif: jobSarifUri(job), commit: commits[0]?.commit ?? null } }
  }

  return {
    async run_all_validations({ paths }, context) {
      const { report, place } = await run(paths, context)
      return toValidationOutcome(report, place)
    },
    async check_compliance({ paths }, context) {
      const { report, place } = await run(paths, context)
      return toComplianceOutcome(report, place)
    },
  }
}

interface Reported {
  readonly report: RepositoryReport
  readonly place: ReportPlace
}

/** The report of a job, as it was stored. */
export async function readReport(
  reports: ReportStore,
  input: v.InferOutput<typeof ReadReport.input>,
): Promise<v.InferOutput<typeof ReadReport.output>> {
  return { text: await reports.read(input.job_id) }
}
