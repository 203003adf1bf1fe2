/** What a README says of code and of other files. */
export interface ReadmeClaims {
  /** The names in code spans that are names of code beyond doubt, as they are written. */
  readonly names: readonly string[]
  /** Targets of links and images that lie in the repository, without their anchors. */
  readonly links: readonly string[]
}

/** Not counted: what stands in a fence is an example, in which other names are to be expected. */
const fence = /^(?: {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?^(?: {0,3})\1[`~]*[ \t]*$/gm
const span = /(?<!`)(`{1,2})(?!`)([^`\n]+?)\1(?!`)/g
const link = /!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+["'(][^)\n]*)?\)/g
const definition = /^ {0,3}\[[^\]\n]+\]:\s*<?(\S+?)>?(?:\s|$)/gm
const name = /^[\p{L}_$][\p{L}\p{N}_$]*(?:(?:\.|::|#)[\p{L}_$][\p{L}\p{N}_$]*)*$/u

export function readClaims(text: string): ReadmeClaims {
  const prose = text.replaceAll('\r\n', '\n').replace(fence, '')
  const spans = [...prose.matchAll(span)].flatMap((match) => toName((match[2] ?? '').trim()) ?? [])
  const withoutSpans = prose.replace(span, '')
  const targets = [...withoutSpans.matchAll(link), ...withoutSpans.matchAll(definition)].map((match) => match[1] ?? '')
  return { names: [...new Set(spans)], links: [...new Set(targets.flatMap((each) => toPath(each) ?? []))] }
}

/** `f(...)`, `a.b`, `two_words` and `twoWords` are names of code; a plain word in a code span may be a command or a value. */
function toName(said: string): string | null {
  const call = /^(?:await |new )?([^\s()]+)\(.*\)$/.exec(said)?.[1]
  const whole = call ?? said
  if (!name.test(whole)) return null
  const isCompound = /[.:#]|[\p{Ll}\p{N}]\p{Lu}|[\p{L}\p{N}]_[\p{L}\p{N}]/u.test(whole)
  return call !== undefined || isCompound ? whole : null
}

/** Null for what does not lie in the repository. */
function toPath(target: string): string | null {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#)/i.test(target)) return null
  const path = target.replace(/[?#].*$/, '')
  if (path === '') return null
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** `User.save` is there where `User` and `save` are. */
export const partsOf = (said: string): readonly string[] => said.split(/\.|::|#/)
