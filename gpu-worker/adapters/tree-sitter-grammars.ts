import { createRequire } from 'node:module'
import type { SourceLanguage } from '../ports/source-parser.ts'

const prebuilt = (name: string): string => `@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`

/** Which package's grammar reads a language. All of them load into the one runtime, web-tree-sitter's own. */
const grammars: Record<SourceLanguage, string> = {
  python: prebuilt('python'),
  javascript: prebuilt('javascript'),
  typescript: prebuilt('typescript'),
  tsx: prebuilt('tsx'),
  go: prebuilt('go'),
  rust: prebuilt('rust'),
  java: prebuilt('java'),
  cpp: prebuilt('cpp'),
  c: 'tree-sitter-c/tree-sitter-c.wasm',
  json: 'tree-sitter-json/tree-sitter-json.wasm',
  jsonc: 'tree-sitter-json/tree-sitter-json.wasm',
  yaml: '@tree-sitter-grammars/tree-sitter-yaml/tree-sitter-yaml.wasm',
  markdown: '@cursorless/tree-sitter-wasms/out/tree-sitter-markdown.wasm',
}

const require = createRequire(import.meta.url)

/** Where the grammar's WebAssembly file lies. */
export const grammarFile = (language: SourceLanguage): string => require.resolve(grammars[language])
