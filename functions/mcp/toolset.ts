import type { ListToolsResult } from '@modelcontextprotocol/server'
import { AppError } from '#shared/errors.ts'
import { catalogue, findTool, type ToolName } from '#shared/tools/catalogue.ts'
import { type ToolDeclaration, toInputJsonSchema, toOutputJsonSchema, toolFamilies } from '#shared/tools/define-tool.ts'
import { instructionsFor } from './instructions.ts'

/** The tools that one client sees. */
export interface Toolset {
  /** The words that select it; null for all tools. */
  readonly selector: string | null
  /** The answer to `tools/list`, made once. */
  readonly list: ListToolsResult
  readonly names: ReadonlySet<string>
  /** What the client's model reads first. */
  readonly instructions: string
}

export interface Toolsets {
  /**
   * The set that `?tools=` asks for: all of them for null, else the union of `core` and families, divided by commas.
   * Throws `invalid_input` for another word.
   */
  select(selector: string | null): Toolset
}

const CORE = 'core'
const words: readonly string[] = [CORE, ...toolFamilies]

/** Converts every schema now: one that clients could not be shown stops the program at its start. */
export function createToolsets(): Toolsets {
  const entries = catalogue.map((tool) => {
    const declaration = declarationOf(tool.name)
    return { declaration, listed: toListed(declaration) }
  })
  const make = (selector: string | null, isIn: (tool: ToolDeclaration) => boolean): Toolset => {
    const chosen = entries.filter(({ declaration }) => isIn(declaration))
    const names = new Set(chosen.map(({ declaration }) => declaration.name))
    const list = { tools: chosen.map(({ listed }) => listed) }
    return { selector, list, names, instructions: instructionsFor(names) }
  }
  const all = make(null, () => true)
  // Bounded: there are no more keys than sets of words.
  const known = new Map<string, Toolset>()

  return {
    select(selector) {
      if (selector === null) return all
      const asked = new Set(selector.split(','))
      const unknown = [...asked].filter((word) => !words.includes(word))
      if (unknown.length > 0) {
        throw new AppError('invalid_input', `Cannot select tools: ${unknown.length} unknown names in ?tools=`, {
          hint: `Use any of ${words.join(', ')}, divided by commas, or leave ?tools= out`,
        })
      }
      const key = words.filter((word) => asked.has(word)).join(',')
      const toolset = known.get(key) ?? make(key, (tool) => (tool.core && asked.has(CORE)) || asked.has(tool.family))
      known.set(key, toolset)
      return toolset
    },
  }
}

function toListed(tool: ToolDeclaration): ListToolsResult['tools'][number] {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: { ...toInputJsonSchema(tool), type: 'object' },
    outputSchema: { ...toOutputJsonSchema(tool), type: 'object' },
    annotations: { ...tool.annotations, openWorldHint: false },
  }
}

function declarationOf(name: ToolName): ToolDeclaration {
  const declaration = findTool(name)
  if (declaration === undefined) throw new Error(`The catalogue does not find its own tool ${name}`)
  return declaration
}
