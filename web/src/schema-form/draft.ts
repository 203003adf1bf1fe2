import type { Json, Plan } from './plan.ts'

/**
 * What stands in a form: text as it was typed for everything that is one control (a choice is the index of its option, a
 * yes or no `true` or `false`, and the empty text what was left open).
 */
export type Draft = string | ListDraft | GroupDraft | MapDraft | UnionDraft

export interface ListDraft {
  readonly kind: 'list'
  /** A key stays with its item when the list changes. */
  readonly items: readonly { readonly key: number; readonly draft: Draft }[]
}
export interface GroupDraft {
  readonly kind: 'group'
  readonly fields: Readonly<Record<string, Draft>>
}
export interface MapDraft {
  readonly kind: 'map'
  readonly entries: readonly { readonly key: number; readonly name: string; readonly draft: Draft }[]
}
export interface UnionDraft {
  readonly kind: 'union'
  readonly chosen: number
  readonly draft: Draft
}

let lastKey = 0
export function nextKey(): number {
  lastKey++
  return lastKey
}

/** A form that nobody has touched. */
export function startDraft(plan: Plan, isRequired: boolean): Draft {
  if (plan.start !== undefined) return toDraft(plan, plan.start, '', [])
  switch (plan.kind) {
    case 'yes_no':
      return isRequired ? 'false' : ''
    case 'choice':
      return isRequired && plan.options.length === 1 ? '0' : ''
    case 'list': {
      const count = isRequired ? Math.min(plan.min, 10) : 0
      const items = Array.from({ length: count }, () => ({ key: nextKey(), draft: startDraft(plan.item, true) }))
      return { kind: 'list', items }
    }
    case 'group':
      return startGroup(plan)
    case 'map':
      return { kind: 'map', entries: [] }
    case 'union': {
      const [first] = plan.options
      return { kind: 'union', chosen: 0, draft: first === undefined ? '' : startDraft(first.plan, isRequired) }
    }
    default:
      return ''
  }
}

export const startGroup = (plan: Extract<Plan, { kind: 'group' }>): GroupDraft => ({
  kind: 'group',
  fields: Object.fromEntries(
    plan.fields.map(({ name, isRequired, plan: inner }) => [name, startDraft(inner, isRequired)]),
  ),
})

/** A value as the form shows it. What the form cannot hold is named in `gaps`, by its path. */
export function toDraft(plan: Plan, value: Json, path: string, gaps: string[]): Draft {
  const gap = (): Draft => {
    gaps.push(path === '' ? '(whole)' : path)
    return startDraft({ ...plan, start: undefined }, false)
  }
  const at = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`)
  switch (plan.kind) {
    case 'text':
      return typeof value === 'string' ? value : gap()
    case 'number':
      return typeof value === 'number' ? String(value) : gap()
    case 'yes_no':
      return typeof value === 'boolean' ? String(value) : gap()
    case 'choice': {
      const index = plan.options.findIndex((option) => JSON.stringify(option) === JSON.stringify(value))
      return index < 0 ? gap() : String(index)
    }
    case 'any':
      return typeof value === 'string' && parseJson(value) === undefined ? value : JSON.stringify(value, null, 2)
    case 'list':
      if (!isArray(value)) return gap()
      return {
        kind: 'list',
        items: value.map((item, index) => ({ key: nextKey(), draft: toDraft(plan.item, item, at(index), gaps) })),
      }
    case 'map':
      if (!isObject(value)) return gap()
      return {
        kind: 'map',
        entries: Object.entries(value).map(([name, item]) => ({
          key: nextKey(),
          name,
          draft: toDraft(plan.value, item, at(name), gaps),
        })),
      }
    case 'group': {
      if (!isObject(value)) return gap()
      const known = new Set(plan.fields.map(({ name }) => name))
      gaps.push(
        ...Object.keys(value)
          .filter((name) => !known.has(name))
          .map(at),
      )
      const fields = plan.fields.map(({ name, isRequired, plan: inner }): [string, Draft] => {
        const given = value[name]
        if (given === undefined) return [name, startDraft({ ...inner, start: undefined }, false)]
        // An open field is one that is left out, so an empty text that is meant has no place where it may be left out.
        if (given === '' && !isRequired) gaps.push(at(name))
        return [name, toDraft(inner, given, at(name), gaps)]
      })
      return { kind: 'group', fields: Object.fromEntries(fields) }
    }
    case 'union': {
      for (const [chosen, option] of plan.options.entries()) {
        const own: string[] = []
        const draft = toDraft(option.plan, value, path, own)
        if (own.length === 0) return { kind: 'union', chosen, draft }
      }
      return gap()
    }
  }
}

/** Undefined where it is no JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

export const isArray = (value: Json): value is readonly Json[] => Array.isArray(value)
export const isObject = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
