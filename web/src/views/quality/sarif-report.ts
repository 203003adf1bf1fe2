import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'

/** One thing to mend, of a report as it is kept. */
export interface Finding {
  readonly rule: string
  readonly severity: 'error' | 'warning'
  readonly path: string
  readonly line: number | null
  readonly message: string
}

/** A file of the map: `cyclomatic` and `cognitive` are those of its worst function, null where it has none. */
export interface MappedFile {
  readonly path: string
  readonly lines: number
  readonly functions: number | null
  readonly cyclomatic: number | null
  readonly cognitive: number | null
}

export interface KeptReport {
  readonly findings: readonly Finding[]
  readonly files: readonly MappedFile[]
  /** What was not looked at or is not listed. */
  readonly notes: readonly string[]
  /** What each rule is about, by its name. */
  readonly about: ReadonlyMap<string, string>
}

const Location = v.object({ uri: v.string() })
const figure = v.nullable(v.number())
const Text = v.object({ text: v.string() })

/** The part of SARIF 2.1.0 that this server writes and the page shows. */
const Log = v.object({
  runs: v.tuple([
    v.object({
      tool: v.object({
        driver: v.object({ rules: v.array(v.object({ id: v.string(), shortDescription: v.optional(Text) })) }),
      }),
      invocations: v.array(v.object({ toolExecutionNotifications: v.array(v.object({ message: Text })) })),
      // Reports of before this was written have none.
      artifacts: v.optional(
        v.array(
          v.object({
            location: Location,
            properties: v.object({ lines: v.number(), functions: figure, cyclomatic: figure, cognitive: figure }),
          }),
        ),
        [],
      ),
      results: v.array(
        v.object({
          ruleId: v.string(),
          level: v.picklist(['error', 'warning']),
          message: Text,
          locations: v.tuple([
            v.object({
              physicalLocation: v.object({
                artifactLocation: Location,
                region: v.optional(v.object({ startLine: v.number() })),
              }),
            }),
          ]),
        }),
      ),
    }),
  ]),
})

/** Reads a report of `run_all_validations` or `check_compliance`. Throws AppError for what is none. */
export function parseReport(text: string): KeptReport {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Log), text)
  if (!parsed.success) throw new AppError('internal', 'Cannot read the report: the server is of another version')
  const [run] = parsed.output.runs
  return {
    findings: run.results.map(({ ruleId, level, message, locations: [{ physicalLocation: place }] }) => ({
      rule: ruleId,
      severity: level,
      path: toPath(place.artifactLocation.uri),
      line: place.region?.startLine ?? null,
      message: message.text,
    })),
    files: run.artifacts.map(({ location, properties }) => ({ path: toPath(location.uri), ...properties })),
    notes: run.invocations.flatMap((each) => each.toolExecutionNotifications.map(({ message }) => message.text)),
    about: new Map(
      run.tool.driver.rules.map(({ id, shortDescription }) => [id, shortDescription?.text ?? ''] as const),
    ),
  }
}

const toPath = (uri: string): string => uri.split('/').map(decodeURIComponent).join('/')
