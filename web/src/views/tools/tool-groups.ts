import { findTool } from '#shared/tools/catalogue.ts'
import { toolFamilies } from '#shared/tools/define-tool.ts'
import type { ListedTool } from '../../api/tools.ts'

export interface ToolGroup {
  readonly title: string
  readonly tools: readonly ListedTool[]
}

const OTHER = 'other'

/** By family, in the order of the catalogue; tools of a newer server that this page does not know come last. */
export function groupTools(tools: readonly ListedTool[], query: string): readonly ToolGroup[] {
  const words = query.toLowerCase().split(/\s+/)
  const found = tools.filter(({ name, title, description }) => {
    const text = `${name} ${title} ${description}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
  return [...toolFamilies, OTHER].flatMap((family) => {
    const own = found.filter(({ name }) => (findTool(name)?.family ?? OTHER) === family)
    const text = family.replaceAll('_', ' ')
    return own.length === 0 ? [] : [{ title: text.charAt(0).toUpperCase() + text.slice(1), tools: own }]
  })
}
