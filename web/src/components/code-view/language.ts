import { javascript } from '@codemirror/lang-javascript'
import { json } from '@codemirror/lang-json'
import { markdown } from '@codemirror/lang-markdown'
import { python } from '@codemirror/lang-python'
import type { Extension } from '@codemirror/state'

const languages: Readonly<Record<string, () => Extension>> = {
  py: python,
  pyi: python,
  js: () => javascript({ jsx: true }),
  mjs: javascript,
  cjs: javascript,
  jsx: () => javascript({ jsx: true }),
  ts: () => javascript({ typescript: true }),
  mts: () => javascript({ typescript: true }),
  tsx: () => javascript({ jsx: true, typescript: true }),
  json,
  md: markdown,
  markdown,
}

/** The grammar that colours a file, by its name. Other languages are shown without colours. */
export const languageOf = (path: string): Extension =>
  languages[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? '']?.() ?? []
