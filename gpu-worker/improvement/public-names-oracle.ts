import { fileKind } from '../gates/file-kind.ts'
import type { Definition, SourceParser } from '../ports/source-parser.ts'
import { held, type Oracle, refused, unproven } from './oracle.ts'

const SHOWN_MAX = 10

/** What others may use stays: each public function, class and method of before is there. */
export async function createPublicNamesOracle(
  parser: SourceParser,
  path: string,
  before: string,
  signal: AbortSignal,
): Promise<Oracle> {
  const was = await publicNames(parser, path, before, signal)
  return {
    rule: 'public_names',
    asks: 'Every public function, class and method keeps its name',
    async judge(text, judgeSignal) {
      if (was === null) return unproven('the language has no names that can be compared')
      const is = await publicNames(parser, path, text, judgeSignal)
      const gone = [...was].filter((name) => is?.has(name) !== true)
      if (gone.length === 0) return held(`all ${was.size} public names are there`)
      const shown = gone.slice(0, SHOWN_MAX).map((name) => `\`${name}\``)
      return refused([`Others may use ${shown.join(', ')}: put back what is gone under the same name`])
    },
  }
}

/** Null for a language without definitions. Where the language says nothing of what is public, all of them. */
async function publicNames(
  parser: SourceParser,
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | null> {
  const { language, isCode } = fileKind(path)
  if (language === null || !isCode) return null
  const outcome = await parser.parse(language, text, signal)
  if (outcome.kind !== 'parsed') return null
  const isShown = language === 'c' || language === 'cpp' ? () => true : ({ isPublic }: Definition) => isPublic
  return new Set(outcome.definitions.filter(isShown).map(({ name }) => name))
}
