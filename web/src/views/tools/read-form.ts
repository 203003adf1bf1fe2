import { isObject, parseJson } from '../../schema-form/draft.ts'
import type { GroupPlan, Json } from '../../schema-form/plan.ts'
import { type Issue, readDraft } from '../../schema-form/read-draft.ts'
import type { ToolForm } from './tool-desk.ts'

export interface ReadForm {
  /** Undefined where something is wrong. */
  readonly args: { readonly [name: string]: Json } | undefined
  /** What can be read of it all the same. */
  readonly written: { readonly [name: string]: Json }
  readonly issues: readonly Issue[]
}

/** The arguments that a form stands for. Those written as JSON are the server's to judge, beyond being an object. */
export function readForm(plan: GroupPlan, form: Pick<ToolForm, 'mode' | 'draft' | 'json'>): ReadForm {
  if (form.mode === 'json') {
    const value = parseJson(form.json)
    if (value !== undefined && isObject(value)) return { args: value, written: value, issues: [] }
    const message = value === undefined ? `This is no JSON: ${jsonProblem(form.json)}` : 'Must be an object: { … }'
    return { args: undefined, written: {}, issues: [{ path: '', message }] }
  }
  const issues: Issue[] = []
  const value = readDraft(plan, form.draft, true, issues) ?? {}
  const written = isObject(value) ? value : {}
  return { args: issues.length === 0 ? written : undefined, written, issues }
}

function jsonProblem(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
