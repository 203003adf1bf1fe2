import { AgentId, JobId, Sha256 } from '#shared/ids.ts'
import { type Draft, parseJson } from './draft.ts'
import type { Json, Plan } from './plan.ts'

/** What is wrong, and where: `edits.0.search`. The empty path is the form as a whole. */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** The value that the form stands for; undefined where everything was left open that may be. Adds to `issues`. */
export function readDraft(plan: Plan, draft: Draft, isRequired: boolean, issues: Issue[], path = ''): Json | undefined {
  const wrong = (message: string): undefined => {
    issues.push({ path, message })
    return undefined
  }
  const at = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`)

  if (typeof draft === 'string') {
    // Only a text may be empty and still be meant.
    if (draft === '' && (plan.kind !== 'text' || !isRequired || plan.min > 0 || plan.pattern !== undefined)) {
      return isRequired ? wrong('Is needed') : undefined
    }
    return readEntry(plan, draft, wrong)
  }
  if (draft.kind === 'list' && plan.kind === 'list') {
    if (draft.items.length === 0 && !isRequired) return undefined
    if (draft.items.length < plan.min) return wrong(`Add at least ${plan.min}`)
    if (draft.items.length > plan.max) return wrong(`At most ${plan.max}: ${draft.items.length} now`)
    return draft.items.flatMap((item, index) => {
      const value = readDraft(plan.item, item.draft, true, issues, at(index))
      return value === undefined ? [] : [value]
    })
  }
  if (draft.kind === 'map' && plan.kind === 'map') return readMap(plan, draft.entries, isRequired, wrong)
  if (draft.kind === 'group' && plan.kind === 'group') {
    const entries = plan.fields.flatMap(({ name, isRequired: isNeeded, plan: inner }): [string, Json][] => {
      const value = readDraft(inner, draft.fields[name] ?? '', isNeeded, issues, at(name))
      return value === undefined ? [] : [[name, value]]
    })
    return entries.length === 0 && !isRequired ? undefined : Object.fromEntries(entries)
  }
  if (draft.kind === 'union' && plan.kind === 'union') {
    const option = plan.options[draft.chosen]
    return option === undefined ? wrong('Choose one') : readDraft(option.plan, draft.draft, isRequired, issues, path)
  }
  return wrong('Cannot be read')

  function readMap(
    map: Extract<Plan, { kind: 'map' }>,
    entries: readonly { readonly name: string; readonly draft: Draft }[],
    isNeeded: boolean,
    refuse: typeof wrong,
  ): Json | undefined {
    if (entries.length === 0 && !isNeeded) return undefined
    if (entries.length > map.max) return refuse(`At most ${map.max}: ${entries.length} now`)
    const names = entries.map(({ name }) => name)
    if (names.includes('')) return refuse('Each entry needs a name')
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) return refuse(`Two entries have the name "${twice}"`)
    const long = names.find((name) => name.length > map.nameMax)
    if (long !== undefined)
      return refuse(`A name has at most ${map.nameMax} characters: "${long.slice(0, 20)}…" has ${long.length}`)
    return Object.fromEntries(
      entries.flatMap((entry): [string, Json][] => {
        const value = readDraft(map.value, entry.draft, true, issues, at(entry.name))
        return value === undefined ? [] : [[entry.name, value]]
      }),
    )
  }
}

function readEntry(plan: Plan, text: string, wrong: (message: string) => undefined): Json | undefined {
  switch (plan.kind) {
    case 'text':
      return textProblem(plan, text) === undefined ? text : wrong(textProblem(plan, text) ?? '')
    case 'number': {
      const value = Number(text)
      if (text.trim() === '' || !Number.isFinite(value)) return wrong('Must be a number')
      if (plan.isWhole && !Number.isInteger(value)) return wrong('Must be a whole number')
      if (value < plan.min) return wrong(`Must be at least ${plan.min}`)
      return value > plan.max ? wrong(`Must be at most ${plan.max}`) : value
    }
    case 'yes_no':
      return text === 'true'
    case 'choice':
      return plan.options[Number(text)]
    case 'any':
      // Whoever means a text need not write quotes around it.
      return parseJson(text) ?? text
    default:
      return wrong('Cannot be read')
  }
}

function textProblem(plan: Extract<Plan, { kind: 'text' }>, text: string): string | undefined {
  if (text.length < plan.min) return `Needs at least ${plan.min} characters`
  if (text.length > plan.max) return `At most ${count(plan.max)} characters: ${count(text.length)} now`
  if (plan.pattern === undefined || matches(plan.pattern, text)) return undefined
  const known = knownForms.get(plan.pattern)
  return known === undefined ? `Does not have the form ${plan.pattern}` : capitalized(known)
}

const knownForms: ReadonlyMap<string, string> = new Map(
  [AgentId.pipe[1], JobId.pipe[1], Sha256.pipe[1]].map(({ requirement, message }) => [requirement.source, message]),
)

/** A pattern that this browser cannot read is left to the server. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    return true
  }
}

const count = (value: number): string => value.toLocaleString('en')
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
