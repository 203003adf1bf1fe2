import type { Overwrite, TemplateFile, TemplateRules, TemplateSpec, Variables } from './spec.ts'

export interface TemplateOutput {
  /** A Liquid template whose result is a path in the repository. */
  readonly path: string
  /** Key of `bodies`. */
  readonly body: string
  readonly overwrite: Overwrite
}

/** A template wherever it came from: a folder of the repository, one of ours, or a caller's spec. */
export interface Template {
  readonly name: string
  readonly source: 'builtin' | 'repository' | 'spec'
  readonly description: string
  readonly variables: Variables
  readonly outputs: readonly TemplateOutput[]
  readonly rules: TemplateRules
  /** Names of commands of `millwright.json`. */
  readonly after: readonly string[]
  /** Liquid texts by name, without the ending `.liquid`: those of the outputs, and what they may `render`. */
  readonly bodies: ReadonlyMap<string, string>
}

/** The file that makes a folder a template. */
export const TEMPLATE_FILE = 'template.json'
export const BODY_ENDING = '.liquid'

export const bodyName = (file: string): string => file.slice(0, -BODY_ENDING.length)

/** A template from what its folder holds. Bodies are by file name, with the ending. */
export function fromFolder(
  name: string,
  source: Template['source'],
  file: TemplateFile,
  texts: ReadonlyMap<string, string>,
): Template {
  const { description, variables, rules, after, outputs } = file
  return {
    name,
    source,
    description,
    variables,
    rules,
    after,
    outputs: outputs.map(({ path, file: body, overwrite }) => ({ path, body: bodyName(body), overwrite })),
    bodies: new Map([...texts].map(([each, text]) => [bodyName(each), text])),
  }
}

/** A template from a caller's spec. Each output's body gets a name of its own, after its path. */
export function fromSpec(spec: TemplateSpec): Template {
  const { name, description, variables, rules, after } = spec
  const bodies = new Map(Object.entries(spec.partials))
  const outputs = spec.outputs.map(({ path, body, overwrite }) => {
    const key = freeName(path, bodies)
    bodies.set(key, body)
    return { path, body: key, overwrite }
  })
  return { name, source: 'spec', description, variables, rules, after, outputs, bodies }
}

/** `src/{{ name | snake_case }}.py` becomes `name.py`; a second one `name-2.py`. */
function freeName(path: string, taken: ReadonlyMap<string, string>): string {
  const plain = path.replace(/\{\{-?\s*([a-z0-9_]*)[^}]*\}\}/g, '$1')
  const last = plain.slice(plain.lastIndexOf('/') + 1)
  const safe = last.replace(/[^A-Za-z0-9._-]+/g, '').replace(/^[^A-Za-z0-9]+/, '')
  const name = safe.slice(0, 80) || 'output'
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  let free = name
  for (let at = 2; taken.has(free); at++) free = `${stem}-${at}${extension}`
  return free
}

/** What a template's folder holds, by file name: the bodies first, `template.json` last. */
export function toFolder(template: Template): readonly (readonly [string, string])[] {
  const { description, variables, outputs, rules, after, bodies } = template
  const file = {
    description,
    variables,
    outputs: outputs.map(({ path, body, overwrite }) => ({ path, file: `${body}${BODY_ENDING}`, overwrite })),
    ...(Object.keys(rules).length === 0 ? {} : { rules }),
    ...(after.length === 0 ? {} : { after }),
  }
  return [
    ...[...bodies].map(([name, text]) => [`${name}${BODY_ENDING}`, text] as const),
    [TEMPLATE_FILE, `${JSON.stringify(file, null, 2)}\n`],
  ]
}
