import type { SourceParser } from '../ports/source-parser.ts'
import { held, type Oracle, refused, unproven } from './oracle.ts'
import { readPublicNames } from './public-names.ts'

const SHOWN_MAX = 10

/**
 * What others may use stays: each public function, class and method of before is there. With `keepsParameters` it takes as many
 * parameters as it did, too.
 */
export async function createPublicNamesOracle(
  parser: SourceParser,
  file: { readonly path: string; readonly text: string },
  keepsParameters: boolean,
  signal: AbortSignal,
): Promise<Oracle> {
  const was = await readPublicNames(parser, file.path, file.text, signal)
  return {
    rule: 'public_names',
    asks: `Every public function, class and method keeps its name${keepsParameters ? ' and its parameters' : ''}`,
    async judge(text, judgeSignal) {
      if (was === null) return unproven('the language has no names that can be compared')
      const is = await readPublicNames(parser, file.path, text, judgeSignal)
      const gone = [...was.keys()].filter((name) => is?.has(name) !== true)
      if (gone.length > 0) return refused([`Others may use ${shown(gone)}: put back what is gone under the same name`])
      const other = [...was].filter(([name, count]) => count !== null && is?.get(name) !== count).map(([name]) => name)
      if (keepsParameters && other.length > 0)
        return refused([`Others call ${shown(other)}: give back the parameters that were there, and no others`])
      return held(`all ${was.size} public names are there`)
    },
  }
}

const shown = (names: readonly string[]): string =>
  names
    .slice(0, SHOWN_MAX)
    .map((name) => `\`${name}\``)
    .join(', ')
