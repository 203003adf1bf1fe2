import { identifiersIn } from '../gates/words.ts'
import { held, type Oracle, refused } from './oracle.ts'
import { partsOf, readClaims } from './readme-text.ts'

/** A module as its README may speak of it. */
export interface ReadmeSubject {
  /** Names that others may use: functions, classes, methods without what they stand in. */
  readonly publicNames: ReadonlySet<string>
  /** Texts of the module's files: what stands in them may be named. */
  readonly texts: readonly string[]
  /** Whether a path, as a link in the README says it, is there. */
  readonly exists: (link: string) => Promise<boolean>
}

const SHOWN_MAX = 10

/** A README says what is true: the names of code in it exist in the module, its links lead somewhere, and it names what there is. */
export function createReadmeOracle({ publicNames, texts, exists }: ReadmeSubject): Oracle {
  const known = new Set(texts.flatMap((text) => [...identifiersIn(text)]))
  return {
    rule: 'readme',
    asks: 'Names in code spans are names of this code, and links lead to files of the repository',
    async judge(text) {
      const { names, links } = readClaims(text)
      const [unknown, missing] = [await missingNames(names), await missingLinks(links)]
      const objections = [
        ...(unknown.length === 0 ? [] : [`The module has no ${shown(unknown)}: name only what is in its code`]),
        ...(missing.length === 0 ? [] : [`There is no ${shown(missing)}: link only to files of the repository`]),
      ]
      const [first, ...others] = objections
      if (first !== undefined) return refused([first, ...others])
      const said = identifiersIn(text)
      const told = [...publicNames].filter((each) => said.has(each))
      if (told.length === 0 && publicNames.size > 0)
        return refused([`Say what the module offers: ${shown([...publicNames])}`])
      return held(
        `${names.length} names of code and ${links.length} links are right; ${told.length} of ${publicNames.size} public names are told`,
      )
    },
  }

  async function missingNames(names: readonly string[]): Promise<string[]> {
    const missing: string[] = []
    for (const each of names) {
      if (partsOf(each).every((part) => known.has(part))) continue
      // `main.py` looks like a name with a part.
      if (!(each.includes('.') && (await exists(each)))) missing.push(each)
    }
    return missing
  }

  async function missingLinks(links: readonly string[]): Promise<string[]> {
    const missing: string[] = []
    for (const each of links) if (!(await exists(each))) missing.push(each)
    return missing
  }
}

const shown = (names: readonly string[]): string =>
  names
    .slice(0, SHOWN_MAX)
    .map((each) => `\`${each}\``)
    .join(', ')
