import * as v from 'valibot'
import { BUG_DESCRIPTION_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX } from '../protocol/limits.ts'
import { Bug, BugSeverity, BugStatistics } from '../schemas/bug.ts'
import { adds, defineTool, reads } from './define-tool.ts'
import { name } from './fields.ts'

const note = v.optional(v.pipe(v.string(), v.maxLength(DESCRIPTION_CHARACTERS_MAX)))

/** Characters that would break a line in two, move a cursor or turn the direction of the text around them. */
const UNSHOWN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu
const onOneLine = (text: string): string => text.replace(UNSHOWN, ' ').trim()

const bugLine = (bug: Bug): string =>
  `${bug.id} ${bug.severity} ${onOneLine(bug.status)} [${onOneLine(bug.category)}] ${onOneLine(bug.title)}`

const bugNotes = (bug: Bug): string[] =>
  (['description', 'location', 'impact', 'workaround'] as const)
    .filter((field) => bug[field] !== '')
    .map((field) => `  ${field}: ${onOneLine(bug[field])}`)

export const reportBug = defineTool({
  name: 'report_bug',
  family: 'system',
  place: 'worker',
  core: false,
  title: 'Report bug',
  description: "Add a bug to the repository's AGENT_bugs.json.",
  input: v.strictObject({
    severity: BugSeverity,
    category: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    title: name,
    description: v.pipe(v.string(), v.minLength(1), v.maxLength(BUG_DESCRIPTION_CHARACTERS_MAX)),
    location: v.optional(v.pipe(v.string(), v.maxLength(NAME_CHARACTERS_MAX))),
    impact: note,
    workaround: note,
  }),
  output: v.strictObject({ bug: Bug }),
  annotations: adds,
  toText: ({ bug }) => `Added ${bugLine(bug)}`,
})

export const listBugs = defineTool({
  name: 'list_bugs',
  family: 'system',
  place: 'worker',
  core: false,
  title: 'List bugs',
  description: 'Bugs in AGENT_bugs.json, newest first.',
  input: v.strictObject({
    status: v.optional(v.picklist(['open', 'resolved'])),
    severity: v.optional(BugSeverity),
  }),
  output: v.strictObject({
    bugs: v.array(Bug),
    /** Of all bugs, whatever was asked for. */
    statistics: BugStatistics,
    /** Older ones were left out: read the file for them. */
    truncated: v.boolean(),
  }),
  annotations: reads,
  toText: ({ bugs, statistics, truncated }) =>
    [
      `${bugs.length} of ${statistics.total} bugs; ${statistics.open} open, ${statistics.resolved} resolved`,
      ...bugs.flatMap((bug) => [bugLine(bug), ...bugNotes(bug)]),
      ...(truncated ? ['[older ones: read_file AGENT_bugs.json]'] : []),
    ].join('\n'),
})
