import { fileKind } from '../gates/file-kind.ts'
import type { Definition, ParseOutcome, SourceParser } from '../ports/source-parser.ts'

/** What others may use, by its name with what it stands in: how many parameters it takes, null for what is no function. */
export type PublicNames = ReadonlyMap<string, number | null>

/**
 * Public functions, classes and methods of a text: as documentation is asked for them, and methods of a public class that do
 * not say that they are private. In C and C++ everything, since nothing says what is public. Null for a text that does not parse
 * and for languages without definitions.
 */
export async function readPublicNames(
  parser: SourceParser,
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<PublicNames | null> {
  const { language, isCode } = fileKind(path)
  if (language === null || !isCode) return null
  const outcome = await parser.parse(language, text, signal)
  if (outcome.kind !== 'parsed' || outcome.faultCount > 0) return null
  const lines = text.split('\n')
  const isAllShown = language === 'c' || language === 'cpp'
  const classes = new Set(outcome.definitions.filter((each) => each.kind === 'class' && each.isPublic).map(nameOf))
  const names = new Map<string, number | null>()
  for (const each of outcome.definitions) {
    const isMember = classes.has(containerOf(each.name)) && !isPrivate(each, lines[each.line - 1] ?? '')
    if (each.isPublic || isAllShown || isMember) names.set(each.name, parametersOf(each, outcome))
  }
  return names
}

function parametersOf({ kind, name, line }: Definition, outcome: Extract<ParseOutcome, { kind: 'parsed' }>) {
  if (kind !== 'function') return null
  const found = outcome.complexity?.functions.find((each) => each.line === line && each.name === lastOf(name))
  return found?.parameters ?? null
}

const isPrivate = ({ name }: Definition, line: string): boolean =>
  /^[_#]/.test(lastOf(name)) || /^\s*(?:@\w+\s+)*(?:private|protected)\b/.test(line)

const nameOf = ({ name }: Definition): string => name
const lastOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
const containerOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('.')))
