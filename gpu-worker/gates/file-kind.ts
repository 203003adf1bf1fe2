import type { SourceLanguage } from '../ports/source-parser.ts'

/** What a path says about the file. */
export interface FileKind {
  /** For people, messages and fences; null where the name tells nothing. */
  readonly name: string | null
  /** Null where there is no grammar. */
  readonly language: SourceLanguage | null
  /** Code that people read and change, as opposed to data, prose and markup. */
  readonly isCode: boolean
}

const code = (name: string, language: SourceLanguage | null = null): FileKind => ({ name, language, isCode: true })
const data = (name: string, language: SourceLanguage | null = null): FileKind => ({ name, language, isCode: false })
const unknown: FileKind = { name: null, language: null, isCode: false }

const kinds: readonly (readonly [string, FileKind])[] = [
  ['py pyi', code('python', 'python')],
  ['js mjs cjs jsx', code('javascript', 'javascript')],
  ['ts mts cts', code('typescript', 'typescript')],
  ['tsx', code('tsx', 'tsx')],
  ['go', code('go', 'go')],
  ['rs', code('rust', 'rust')],
  ['java', code('java', 'java')],
  ['c', code('c', 'c')],
  // A header may be either; what is C parses as C++ but for a few names.
  ['cc cpp cxx c++ h hh hpp hxx', code('cpp', 'cpp')],
  ['cs', code('csharp')],
  ['rb', code('ruby')],
  ['php', code('php')],
  ['swift', code('swift')],
  ['kt kts', code('kotlin')],
  ['scala', code('scala')],
  ['sh bash zsh', code('bash')],
  ['ps1', code('powershell')],
  ['lua', code('lua')],
  ['pl pm', code('perl')],
  ['r', code('r')],
  ['dart', code('dart')],
  ['ex exs', code('elixir')],
  ['vue', code('vue')],
  ['svelte', code('svelte')],
  ['css scss less', code('css')],
  ['json', data('json', 'json')],
  ['jsonc json5 code-workspace', data('json', 'jsonc')],
  ['yaml yml', data('yaml', 'yaml')],
  ['toml', data('toml')],
  ['ini cfg conf', data('ini')],
  ['xml svg', data('xml')],
  ['html htm', data('html')],
  ['sql', data('sql')],
  ['csv', data('csv')],
  ['md markdown', data('markdown', 'markdown')],
  ['rst', data('rst')],
  ['txt lock', data('text')],
]
const byExtension = new Map(kinds.flatMap(([extensions, kind]) => extensions.split(' ').map((e) => [e, kind] as const)))
const byName = new Map([
  ['dockerfile', data('dockerfile')],
  ['makefile', data('makefile')],
])
/** Their readers take comments. Trailing commas, which some take too, the grammar does not. */
const commentedJson = /^(?:tsconfig|jsconfig)(?:\..+)?\.json$|^\.(?:eslintrc|swcrc|babelrc)(?:\.json)?$/

/** The kind of a file, by its name alone. */
export function fileKind(path: string): FileKind {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  if (commentedJson.test(name)) return data('json', 'jsonc')
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : ''
  return byName.get(name) ?? byExtension.get(extension) ?? unknown
}
