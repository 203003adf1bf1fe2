import { fileKind } from '../gates/file-kind.ts'
import { undocumentedIn } from '../gates/missing-docs.ts'
import type { Definition, SourceParser } from '../ports/source-parser.ts'
import { held, type Oracle, refused } from './oracle.ts'

const SHOWN_MAX = 10

/** Public names without documentation; null for a text that cannot be parsed, or a language without definitions. */
export async function findUndocumented(
  parser: SourceParser,
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<readonly Definition[] | null> {
  const { language } = fileKind(path)
  const outcome = language === null ? null : await parser.parse(language, text, signal)
  return outcome?.kind === 'parsed' && outcome.faultCount === 0 ? undocumentedIn(outcome.definitions) : null
}

/** Fewer public names lack documentation than `before`. */
export function createDocumentedOracle(parser: SourceParser, path: string, before: readonly Definition[]): Oracle {
  return {
    rule: 'documented',
    asks: 'More public names have documentation than before',
    async judge(text, signal) {
      const after = await findUndocumented(parser, path, text, signal)
      if (after === null) return refused(['The file does not parse any more: change nothing but documentation'])
      if (after.length < before.length)
        return held(`public names without documentation: ${before.length} -> ${after.length}`)
      const shown = after.slice(0, SHOWN_MAX).map(({ name, line }) => `\`${name}\` (line ${line})`)
      return refused([`${after.length} public names have no documentation, as before: document ${shown.join(', ')}`])
    },
  }
}
