import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { BUGS_PATH, Bug, type BugStatistics } from '#shared/schemas/bug.ts'
import { readJsonDocument } from '../workspace/json-document.ts'

/** What this program reads of an entry. People and other tools may add fields of their own, and leave out empty ones. */
const KeptBug = v.object({
  ...Bug.entries,
  location: v.optional(v.string(), ''),
  impact: v.optional(v.string(), ''),
  workaround: v.optional(v.string(), ''),
})
const BugFile = v.object({ bugs: v.array(KeptBug) })

/** The file as it was read: the entries, and the whole value, in which everything else stays as it is. */
export interface BugList {
  readonly bugs: readonly Bug[]
  readonly document: Readonly<Record<string, unknown>> & { readonly bugs: readonly unknown[] }
}

/** A list without bugs, as the first report makes it. */
export function emptyBugList(now: Date): BugList {
  return {
    bugs: [],
    document: {
      metadata: {
        created: toSeconds(now).slice(0, 10),
        version: '1.0',
        description: 'Bugs of this repository, as reported through Millwright',
      },
      classification: {
        critical: 'Nothing works without a repair',
        high: 'Work is held up',
        medium: 'Work goes on around it',
        low: 'A blemish, or a rare case',
      },
      bugs: [],
    },
  }
}

/**
 * Reads the file's text. Throws `unavailable`, naming what is wrong and where, for a file that this program could not
 * give back whole: nothing may be added to it before a person has mended it.
 */
export function parseBugList(text: string): BugList {
  const read = readJsonDocument(text)
  if ('fault' in read) throw damaged(read.fault)
  // To valibot a list is an object without keys.
  const parsed = Array.isArray(read.value) ? null : v.safeParse(BugFile, read.value)
  if (parsed === null) throw damaged('a list stands where an object belongs')
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw damaged(`${v.getDotPath(issue) ?? '(whole)'}: expected ${issue.expected}`)
  }
  // The value itself and not what the schema made of it: unknown fields stay.
  return { bugs: parsed.output.bugs, document: read.value as BugList['document'] }
}

export type NewBug = Pick<Bug, 'severity' | 'category' | 'title' | 'description'> &
  Partial<Record<'location' | 'impact' | 'workaround', string | undefined>>

/** The same list with one bug more, as the text of the file, and that bug. */
export function addBug({ bugs, document }: BugList, report: NewBug, now: Date): { bug: Bug; text: string } {
  const bug: Bug = {
    id: nextId(bugs),
    severity: report.severity,
    category: report.category,
    title: report.title,
    description: report.description,
    location: report.location ?? '',
    impact: report.impact ?? '',
    workaround: report.workaround ?? '',
    status: 'open',
    created: toSeconds(now),
  }
  const statistics = countBugs([...bugs, bug])
  const text = JSON.stringify({ ...document, bugs: [...document.bugs, bug], statistics }, null, 2)
  return { bug, text: `${text}\n` }
}

/** Counted anew each time: a person who resolves a bug need not count. */
export function countBugs(bugs: readonly Bug[]): BugStatistics {
  const bySeverity = { critical: 0, high: 0, medium: 0, low: 0 }
  const byCategory = new Map<string, number>()
  for (const { severity, category } of bugs) {
    bySeverity[severity]++
    byCategory.set(category, (byCategory.get(category) ?? 0) + 1)
  }
  return {
    total: bugs.length,
    by_severity: bySeverity,
    by_category: Object.fromEntries(byCategory),
    open: bugs.filter(({ status }) => status === 'open').length,
    resolved: bugs.filter(({ status }) => status === 'resolved').length,
  }
}

/** One more than the highest, so that no id of the list comes again, whatever was taken out below it. */
function nextId(bugs: readonly Bug[]): string {
  const numbers = bugs.map(({ id }) => Number(/^BUG-(\d{1,9})$/.exec(id)?.[1] ?? 0))
  const highest = numbers.reduce((one, other) => Math.max(one, other), 0)
  return `BUG-${String(highest + 1).padStart(3, '0')}`
}

const toSeconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z')

const damaged = (what: string): AppError =>
  new AppError('unavailable', `Cannot read "${BUGS_PATH}": ${what}`, {
    hint: 'validate_file names the place; a person has to mend it, or move it away for a new one. It is as it was',
  })
