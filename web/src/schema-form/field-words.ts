import type { Plan } from './plan.ts'

/** What people write in capitals. */
const capitals: ReadonlySet<string> = new Set(['id', 'sha256', 'url', 'json'])

/** `agent_id` as a label: Agent ID. */
export function toLabel(name: string): string {
  const words = name.split('_').map((word) => (capitals.has(word) ? word.toUpperCase() : word))
  const text = words.join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** These are one line, however long they may be. */
const oneLine = /(path|paths|file|cursor|id|glob|pattern|key|value)$/
const code = /^(content|search|replace)$/
const LONG_CHARACTERS = 2000

/** How a text is written: in a line, in several, or in several with the letters of code. */
export function textLook(name: string, maxCharacters: number): 'line' | 'long' | 'code' {
  if (code.test(name)) return 'code'
  return !oneLine.test(name) && maxCharacters >= LONG_CHARACTERS ? 'long' : 'line'
}

/** What the schema says beside the kind: its description, and the limits of a number. */
export function toHint(plan: Plan): string | undefined {
  const parts = [plan.description ?? [], plan.kind === 'number' ? rangeOf(plan) : []].flat()
  return parts.length === 0 ? undefined : parts.join('. ')
}

function rangeOf({ min, max }: { readonly min: number; readonly max: number }): string | [] {
  const from = Number.isFinite(min) ? min.toLocaleString('en') : undefined
  const to = Number.isFinite(max) ? max.toLocaleString('en') : undefined
  if (from !== undefined && to !== undefined) return `${from} to ${to}`
  if (from !== undefined) return `At least ${from}`
  return to === undefined ? [] : `At most ${to}`
}
