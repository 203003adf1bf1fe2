import type { Survey } from './survey.ts'

/** A command that a repository could have its files judged by. */
export interface FoundLinter {
  /** What gave it away. */
  readonly found: string
  /** For `checks.commands`. */
  readonly entry: { readonly name: string; readonly run: readonly string[]; readonly files: string }
}

interface Linter {
  readonly entry: FoundLinter['entry']
  /** A file at the top that only this tool reads. */
  readonly file: RegExp
  /** A manifest that may speak of it, and how. */
  readonly section?: readonly [string, RegExp]
}

/** Tools that judge one file by itself; docs/configuration.md has the same. */
const linters: readonly Linter[] = [
  {
    entry: { name: 'ruff', run: ['ruff', 'check', '{file}'], files: '*.py' },
    file: /^\.?ruff\.toml$/,
    section: ['pyproject.toml', /^\[tool\.ruff[.\]]/m],
  },
  {
    entry: { name: 'mypy', run: ['mypy', '{file}'], files: '*.py' },
    file: /^\.?mypy\.ini$/,
    section: ['pyproject.toml', /^\[tool\.mypy[.\]]/m],
  },
  {
    entry: { name: 'biome', run: ['biome', 'check', '{file}'], files: '*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}' },
    file: /^biome\.jsonc?$/,
  },
  {
    entry: { name: 'eslint', run: ['eslint', '{file}'], files: '*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}' },
    file: /^eslint\.config\.[cm]?[jt]s$|^\.eslintrc(?:\.\w+)?$/,
  },
  { entry: { name: 'tsc', run: ['tsc', '--noEmit'], files: '*.{ts,tsx,mts,cts}' }, file: /^tsconfig\.json$/ },
]

/** The linters and type checkers that the repository has configured at its top. */
export function findLinters({ files, manifests }: Survey): FoundLinter[] {
  return linters.flatMap(({ entry, file, section }) => {
    const own = files.find((path) => file.test(path))
    if (own !== undefined) return [{ found: own, entry }]
    const [manifest, pattern] = section ?? []
    const text = manifest === undefined ? undefined : manifests.get(manifest)
    return manifest !== undefined && text !== undefined && pattern?.test(text) === true
      ? [{ found: `${entry.name} in ${manifest}`, entry }]
      : []
  })
}
