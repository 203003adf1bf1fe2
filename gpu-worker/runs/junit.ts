import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** A report takes several times its size in memory, and this much half a second in which the worker does nothing else. */
const XML_CHARACTERS_MAX = 8 * 1024 * 1024
/** Suites in suites. People nest a few; each more is a step of the stack here. */
const SUITES_DEEP_MAX = 100

export interface JunitProblem {
  readonly kind: 'failure' | 'error'
  readonly message: string
  readonly text: string
}

export interface JunitCase {
  /** Names of the suites around it, outermost first. */
  readonly suites: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
  readonly problem: JunitProblem | null
  readonly isSkipped: boolean
}

/** The counts that the suites of a report claim for themselves, added up; null where none says. */
export interface JunitClaims {
  readonly failures: number
  readonly errors: number
  readonly skipped: number
}

export type Junit =
  | { readonly cases: readonly JunitCase[]; readonly claims: JunitClaims | null }
  | { readonly fault: string }

/**
 * Reads a report in JUnit's form. Characters that XML does not allow, which runners copy from names and messages, count as
 * U+FFFD; everything else that is no well-formed XML is a fault, as is a document of another kind.
 */
export function parseJunit(xml: string): Junit {
  if (xml.length > XML_CHARACTERS_MAX) return { fault: `it has ${xml.length} characters, limit ${XML_CHARACTERS_MAX}` }
  const root = parseRoot(xml)
  if (root === null) return { fault: 'it is not well-formed XML' }
  if (root.name !== 'testsuites' && root.name !== 'testsuite')
    return { fault: `it is no JUnit report but <${root.name.slice(0, 40)}>` }
  const found: Found = { cases: [], claims: [], isTooDeep: false }
  if (root.name === 'testsuite') visitSuite(root, [], found)
  else visit(root, [], found)
  const { cases, claims, isTooDeep } = found
  if (isTooDeep) return { fault: `it has suites in more than ${SUITES_DEEP_MAX} others` }
  return { cases, claims: claims.length === 0 ? null : claims.reduce(add) }
}

interface Found {
  readonly cases: JunitCase[]
  readonly claims: JunitClaims[]
  isTooDeep: boolean
}

function parseRoot(xml: string): XmlElement | null {
  try {
    return parseXml(withoutForbidden(xml)).root
  } catch {
    // Not well-formed, or so deep that the stack ended.
    return null
  }
}

function visit(element: XmlElement, suites: readonly string[], found: Found): void {
  for (const child of elements(element)) {
    if (child.name === 'testcase') found.cases.push(toCase(child, suites))
    else if (child.name === 'testsuite') visitSuite(child, suites, found)
  }
}

function visitSuite(element: XmlElement, suites: readonly string[], found: Found): void {
  if (suites.length === 0) claim(element, found.claims)
  if (suites.length === SUITES_DEEP_MAX) found.isTooDeep = true
  else visit(element, [...suites, element.attributes.name ?? ''], found)
}

/** Only the outermost suites: they count for those in them. */
function claim({ attributes }: XmlElement, claims: JunitClaims[]): void {
  const { failures, errors, skipped } = attributes
  if (failures === undefined) return
  claims.push({ failures: toCount(failures), errors: toCount(errors), skipped: toCount(skipped) })
}

const toCount = (text = '0'): number => (/^\d{1,9}$/.test(text) ? Number(text) : Number.NaN)

const add = (one: JunitClaims, other: JunitClaims): JunitClaims => ({
  failures: one.failures + other.failures,
  errors: one.errors + other.errors,
  skipped: one.skipped + other.skipped,
})

function toCase(element: XmlElement, suites: readonly string[]): JunitCase {
  const children = elements(element)
  const problem = children.find(({ name }) => name === 'failure' || name === 'error')
  return {
    suites,
    attributes: element.attributes,
    problem:
      problem === undefined
        ? null
        : {
            kind: problem.name === 'error' ? 'error' : 'failure',
            message: problem.attributes.message ?? '',
            text: problem.text,
          },
    isSkipped: children.some(({ name }) => name === 'skipped'),
  }
}

const elements = ({ children }: XmlElement): XmlElement[] =>
  children.filter((child): child is XmlElement => child instanceof XmlElement)

/** Neither written plainly nor by number may these stand in XML 1.0. */
const withoutForbidden = (xml: string): string =>
  xml
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll(/&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));/g, (reference, hex?: string, decimal?: string) =>
      isAllowed(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) ? reference : '\uFFFD',
    )

const isAllowed = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff)
