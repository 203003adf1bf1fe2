import type { Definition } from '../ports/source-parser.ts'
import type { FileKind } from './file-kind.ts'
import { type Finding, type Gate, type GateSubject, whyNotParsed } from './gate.ts'
import type { NamedThing, NamingRule } from './structure-settings.ts'

interface Named {
  readonly name: string
  readonly line: number | null
}

/** What a model can mend in one round. */
const SHOWN_MAX = 10
/** Names that people choose; operators, destructors and functions without one are not. */
const CHOSEN = /^[#$]?[\p{L}_$][\p{L}\p{N}_$]*$/u
const codeThings = ['functions', 'classes', 'constants'] as const

/**
 * Names are written as the repository writes them. In code, names that the file had before are old; the name of a file
 * counts where the file is new, and so do those of its folders.
 */
export function createNamingGate(rules: readonly NamingRule[]): Gate {
  return {
    rule: 'naming',
    describe(kind, path) {
      const asked = codeThings.flatMap((of) => {
        const rule = ruleFor(rules, of, path, kind)
        return rule === null || isFree(rule) ? [] : [`${of} in ${stylesOf(rule)}`]
      })
      return asked.length === 0 ? null : `Names: ${asked.join(', ')}`
    },
    async judge(subject) {
      const { path, kind, before } = subject
      const inCode = codeThings.flatMap((of) => ruleFor(rules, of, path, kind) ?? [])
      const ofPath = [...fileNameFindings(rules, path, kind), ...folderNameFindings(rules, path)]
      const isAsked = inCode.length > 0 || rules.some(({ of, matches }) => of === 'files' && matches(path))
      if (!isAsked && ofPath.length === 0) return null
      const pathFindings = ofPath.map(({ finding }) => ({ ...finding, isOld: before !== null }))
      const obstacle = inCode.length === 0 ? null : whyNotParsed(subject)
      // What the syntax check says about a file that does not parse is enough; its names come when it does.
      if (obstacle !== null) return pathFindings.length > 0 ? { findings: pathFindings } : { skipped: obstacle }
      return { findings: [...pathFindings, ...(await codeFindings(inCode, subject))] }
    },
  }
}

/** The name of a file, up to its first dot. Names that begin with a dot are their programs' choice. */
export function fileNameFindings(
  rules: readonly NamingRule[],
  path: string,
  kind: FileKind,
): { readonly finding: Finding }[] {
  const base = path.slice(path.lastIndexOf('/') + 1)
  const name = base.split('.', 1)[0] ?? ''
  const rule = ruleFor(rules, 'files', path, kind)
  if (rule === null || name === '' || fits(rule, name)) return []
  return [{ finding: { message: `The file name \`${base}\` ${advice(rule)}`, line: null, column: null } }]
}

/** The folders of a path that are named in another way, from the top. */
export function folderNameFindings(
  rules: readonly NamingRule[],
  path: string,
): { readonly folder: string; readonly finding: Finding }[] {
  const own = rules.filter(({ of }) => of === 'folders')
  if (own.length === 0) return []
  const parts = path.split('/').slice(0, -1)
  return parts.flatMap((name, index) => {
    const folder = parts.slice(0, index + 1).join('/')
    const rule = own.find(({ matches }) => matches(folder))
    if (rule === undefined || name.startsWith('.') || fits(rule, name)) return []
    return [{ folder, finding: { message: `The folder name \`${name}\` ${advice(rule)}`, line: null, column: null } }]
  })
}

async function codeFindings(rules: readonly NamingRule[], subject: GateSubject): Promise<Finding[]> {
  const wrong = wrongNames(rules, subject.source)
  if (wrong.length === 0) return []
  const before = new Set(wrongNames(rules, await subject.parseBefore()).map(({ message }) => message))
  return wrong
    .map((each) => ({ ...each, isOld: before.has(each.message) }))
    .sort((a, b) => Number(a.isOld) - Number(b.isOld))
    .slice(0, SHOWN_MAX)
}

function wrongNames(rules: readonly NamingRule[], source: GateSubject['source']): Finding[] {
  if (source?.kind !== 'parsed') return []
  return rules.flatMap((rule) =>
    namesIn(rule.of, source)
      .filter(({ name }) => CHOSEN.test(name) && !isDunder(name) && !fits(rule, name.replace(/^[#$]/u, '')))
      .map(({ name, line }) => ({ message: `\`${name}\` ${advice(rule)}`, line, column: null })),
  )
}

type Parsed = Extract<NonNullable<GateSubject['source']>, { kind: 'parsed' }>

function namesIn(of: NamedThing, { definitions, constants }: Parsed): readonly Named[] {
  if (of === 'constants') return constants
  const kind: Definition['kind'] = of === 'functions' ? 'function' : 'class'
  return definitions.filter((each) => each.kind === kind && !isConstructor(each.name)).map(ownName)
}

function ownName({ name, line }: Definition): Named {
  return { name: name.slice(name.lastIndexOf('.') + 1), line }
}

/** Named by its class. */
function isConstructor(name: string): boolean {
  const parts = name.split('.')
  return parts.length > 1 && parts.at(-1) === parts.at(-2)
}

const isDunder = (name: string): boolean => name.startsWith('__') && name.endsWith('__')

/** The rule of a kind of name that holds for a file; null where there is none. */
function ruleFor(rules: readonly NamingRule[], of: NamedThing, path: string, kind: FileKind): NamingRule | null {
  const language = kind.name === 'tsx' ? 'typescript' : (kind.name ?? '')
  const rule = rules.find(
    (each) => each.of === of && each.matches(path) && (each.languages === null || each.languages.has(language)),
  )
  return rule ?? null
}

const fits = ({ styles, allowed }: NamingRule, name: string): boolean =>
  styles.some((style) => style.fits(name)) || allowed.some((pattern) => pattern.matcher(name).find())

const isFree = ({ styles }: NamingRule): boolean => styles.some(({ name }) => name === 'any')
const stylesOf = ({ styles }: NamingRule): string => styles.map(({ name }) => name).join(' or ')
const advice = (rule: NamingRule): string => `is not in ${stylesOf(rule)}: rename it`
