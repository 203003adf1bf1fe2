import { Liquid, type Template as Parsed } from 'liquidjs'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { liquidFilters, liquidTags, ownFilters, print } from './filters.ts'
import { BODY_CHARACTERS_MAX } from './spec.ts'
import { joinTagLines } from './tag-lines.ts'

/** Where and why a body cannot be rendered, for its author. */
export interface BodyFault {
  /** The body, or the text that was given for one; null where Liquid does not say. */
  readonly line: number | null
  readonly message: string
}

export type Rendered = { readonly text: string } | { readonly fault: BodyFault }

export interface TemplateEngine {
  /** What is wrong with the form of a Liquid text; null where nothing is. */
  parse(text: string): BodyFault | null
  /** Names of variables that a text takes from outside, in it and in what it renders. */
  variables(text: string): { readonly names: readonly string[] } | { readonly fault: BodyFault }
  render(text: string, values: Readonly<Record<string, unknown>>): Rendered
}

/** One text; a hundred times what the largest of our own takes. Nothing else happens meanwhile. */
const RENDER_MS_MAX = 1000
/** All texts that one engine renders: every output, and in a trial every example. */
const RENDER_MS_TOTAL = 3000
/** Items and characters that loops and filters make: a file's worth. */
const MEMORY_MAX = FILE_BYTES_MAX

/**
 * Renders Liquid texts that may come from anybody. No file, no clock, no code: of Liquid's tags and filters only those in
 * filters.ts, values without what they inherit, and limits on the length of a text, the time and the memory of a rendering.
 * An unknown variable or filter is a fault, and so is a value that nothing has made fit to be printed.
 */
export function createTemplateEngine(bodies: ReadonlyMap<string, string>): TemplateEngine {
  const templates: Record<string, string> = Object.create(null)
  for (const [name, text] of bodies) {
    const joined = joinTagLines(text).text
    // Liquid writes the name in quotes; with names that are never expressions the library takes the quotes for a part of it.
    for (const written of [name, `'${name}'`, `"${name}"`]) templates[written] = joined
  }
  const engine = new Liquid({
    templates,
    dynamicPartials: false,
    relativeReference: false,
    strictFilters: true,
    strictVariables: true,
    ownPropertyOnly: true,
    outputEscape: print,
    parseLimit: BODY_CHARACTERS_MAX,
    memoryLimit: MEMORY_MAX,
    timezoneOffset: 0,
  })
  for (const name of Object.keys(engine.tags)) if (!liquidTags.includes(name)) delete engine.tags[name]
  for (const name of Object.keys(engine.filters)) if (!liquidFilters.includes(name)) delete engine.filters[name]
  for (const [name, filter] of Object.entries(ownFilters)) engine.registerFilter(name, filter)

  let spentMs = 0

  /** Liquid throws errors of its own and of the runtime's (a stack that is too deep, a text that is too long). */
  function attempt<T>(text: string, work: (parsed: Parsed[]) => T): { value: T } | { fault: BodyFault } {
    const { text: joined, lineOf } = joinTagLines(text)
    try {
      return { value: work(engine.parse(joined)) }
    } catch (error) {
      return { fault: toFault(error, lineOf) }
    }
  }

  return {
    parse(text) {
      const tried = attempt(text, () => null)
      return 'fault' in tried ? tried.fault : null
    },
    variables(text) {
      const tried = attempt(text, (parsed) => engine.globalVariablesSync(parsed))
      return 'fault' in tried ? tried : { names: tried.value }
    },
    render(text, values) {
      const startedAt = performance.now()
      const renderLimit = Math.min(RENDER_MS_MAX, RENDER_MS_TOTAL - spentMs)
      const tried = attempt(text, (parsed): unknown => engine.renderSync(parsed, values, { renderLimit }))
      spentMs += performance.now() - startedAt
      if ('fault' in tried) return tried
      const rendered = typeof tried.value === 'string' ? tried.value : ''
      // Before anything joins the pieces of which the text is made.
      if (rendered.length > FILE_BYTES_MAX)
        return {
          fault: { line: null, message: `the result has ${rendered.length} characters, limit ${FILE_BYTES_MAX}` },
        }
      return { text: rendered }
    },
  }
}

const MESSAGE_CHARACTERS_MAX = 300

/** Liquid's message without the place that it ends with. A line of a body that was rendered is not one of this text. */
function toFault(error: unknown, lineOf: (line: number, column: number) => number): BodyFault {
  const message = error instanceof Error ? error.message : 'it cannot be rendered'
  const place = /,(?: file:([^,]*),)? line:(\d+), col:(\d+)$/.exec(message)
  const said = message
    .slice(0, place?.index ?? message.length)
    .replace(/^ENOENT: Failed to lookup "['"]?(.*?)['"]?" in "\."$/, 'there is no body $1.liquid')
    .replace(/\p{C}+/gu, ' ')
  const inBody = place?.[1] === undefined ? '' : `in ${place[1]}.liquid, line ${place[2]}: `
  return {
    line: place === null || place[1] !== undefined ? null : lineOf(Number(place[2]), Number(place[3])),
    message: `${inBody}${said.slice(0, MESSAGE_CHARACTERS_MAX)}`,
  }
}
