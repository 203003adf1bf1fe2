import { fileKind } from '#gpu-worker/gates/file-kind.ts'
import { nameStyles } from '#gpu-worker/gates/name-styles.ts'
import type { NamingEntry } from '#gpu-worker/gates/structure-schema.ts'

/** Fewer prove no habit. */
const FILES_MIN = 5
/** Names of one small word fit every style; that many must tell. */
const TELLING_MIN = 2
const styles = ['kebab-case', 'snake_case', 'camelCase', 'PascalCase'] as const
const groups = [
  { files: '*.py', languages: ['python'] },
  { files: '*.{ts,mts,cts,js,mjs,cjs}', languages: ['typescript', 'javascript'] },
  { files: '*.go', languages: ['go'] },
  { files: '*.rs', languages: ['rust'] },
  { files: '*.java', languages: ['java'] },
] as const

/** How the files of each language are named, where all of them are named alike. */
export function findFileNaming(files: readonly string[]): NamingEntry[] {
  return groups.flatMap(({ files: glob, languages }) => {
    const names = files
      .filter((path) => (languages as readonly (string | null)[]).includes(fileKind(path).name) && !path.endsWith('x'))
      .map((path) => path.slice(path.lastIndexOf('/') + 1).split('.', 1)[0] ?? '')
      .filter((name) => name !== '')
    if (names.length < FILES_MIN) return []
    const fitting = styles.filter((style) => names.every((name) => nameStyles[style].fits(name)))
    const [style] = fitting
    const telling = names.filter((name) => !/^_*[\p{Ll}\p{N}]+_*$/u.test(name)).length
    return style === undefined || telling < TELLING_MIN ? [] : [{ of: 'files', files: glob, style }]
  })
}
