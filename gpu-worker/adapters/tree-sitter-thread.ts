// Runs as a worker thread, never imported: a parse that does not end can only be stopped by ending its thread.
import { parentPort } from 'node:worker_threads'
import { Language, type Node, Parser } from 'web-tree-sitter'
import type {
  AnalysisOutcome,
  CodeOutcome,
  MutantsOutcome,
  ParseOutcome,
  SourceLanguage,
  SyntaxFault,
  TokensOutcome,
} from '../ports/source-parser.ts'
import { codeOf } from './tree-sitter-code.ts'
import { complexityOf } from './tree-sitter-complexity.ts'
import { constantsIn } from './tree-sitter-constants.ts'
import { definitionsIn } from './tree-sitter-definitions.ts'
import { grammarFile } from './tree-sitter-grammars.ts'
import { unusedImportsIn } from './tree-sitter-imports.ts'
import { jsonFaults } from './tree-sitter-json.ts'
import { markdownFaults, toMarkdownSource } from './tree-sitter-markdown.ts'
import { mutantsIn } from './tree-sitter-mutants.ts'
import { pythonFaults } from './tree-sitter-python.ts'
import { FAULTS_SHOWN_MAX, syntaxFaults } from './tree-sitter-syntax.ts'
import { tokensOf } from './tree-sitter-tokens.ts'

/** What is asked about a text, and what the answer is. */
export interface ThreadOutcomes {
  readonly parse: ParseOutcome
  readonly analyze: AnalysisOutcome
  readonly tokenize: TokensOutcome
  readonly readCode: CodeOutcome
  readonly mutate: MutantsOutcome
}
export type ThreadTask = keyof ThreadOutcomes

export interface ParseRequest {
  readonly id: number
  readonly task: ThreadTask
  readonly language: SourceLanguage
  readonly text: string
}

export type ThreadMessage =
  /** The grammar is loaded and the parse begins: from here on the deadline counts. */
  | { readonly id: number; readonly kind: 'started' }
  | { readonly id: number; readonly kind: 'finished'; readonly outcome: ThreadOutcomes[ThreadTask] }
  /** The runtime or a grammar could not be loaded: an installation fault, not one of the text. */
  | { readonly id: number; readonly kind: 'failed'; readonly reason: string }

const parsers = new Map<SourceLanguage, Parser>()
let runtime: Promise<void> | undefined

async function parserFor(language: SourceLanguage): Promise<Parser> {
  const known = parsers.get(language)
  if (known !== undefined) return known
  runtime ??= Parser.init()
  await runtime
  const parser = new Parser()
  parser.setLanguage(await Language.load(grammarFile(language)))
  parsers.set(language, parser)
  return parser
}

/** A grammar that reads a part of the text: of a document, its front matter. */
const innerLanguage = (language: SourceLanguage): SourceLanguage | null => (language === 'markdown' ? 'yaml' : null)

function faultsOf(
  root: Node,
  { language, text }: ParseRequest,
  inner: Parser | null,
): { faults: SyntaxFault[]; breakCount: number } {
  if (language === 'markdown' && inner !== null) {
    const faults = markdownFaults(root, text, inner)
    return { faults, breakCount: faults.length }
  }
  const found = syntaxFaults(root, language, text)
  if (found.faults.length > 0 || language !== 'python') return found
  const faults = pythonFaults(root, text)
  return { faults, breakCount: faults.length }
}

function work(parser: Parser, request: ParseRequest, inner: Parser | null): ThreadOutcomes[ThreadTask] {
  const tree = parser.parse(request.text)
  if (tree === null) return { kind: 'broken', reason: 'the parser gave no tree' }
  try {
    return tasks[request.task](tree.rootNode, request, inner)
  } finally {
    tree.delete()
  }
}

const tasks: {
  readonly [Task in ThreadTask]: (root: Node, request: ParseRequest, inner: Parser | null) => ThreadOutcomes[Task]
} = {
  parse(root, request, inner) {
    const { faults, breakCount } = faultsOf(root, request, inner)
    const isSound = faults.length === 0
    return {
      kind: 'parsed',
      faults: faults.slice(0, FAULTS_SHOWN_MAX),
      faultCount: faults.length,
      breakCount,
      complexity: isSound ? complexityOf(root, request.language) : null,
      definitions: isSound ? definitionsIn(root, request.language) : [],
      constants: isSound ? constantsIn(root, request.language) : [],
    }
  },

  analyze(root, request, inner) {
    const { language, text } = request
    const isSound = faultsOf(root, request, inner).faults.length === 0
    const definitions = isSound ? definitionsIn(root, language) : []
    return {
      kind: 'analyzed',
      ...tokensOf(root, text),
      definitions,
      unusedImports: isSound ? unusedImportsIn(root, language) : null,
    }
  },

  tokenize: (root, { text }) => ({ kind: 'tokenized', tokens: tokensOf(root, text).tokens }),
  readCode: (root, { language, text }) => ({ kind: 'code', ...codeOf(root, language, text) }),
  mutate: (root, { language }) => ({ kind: 'mutants', mutants: mutantsIn(root, language) }),
}

async function answer(request: ParseRequest): Promise<ThreadMessage> {
  const { id } = request
  if (request.language === 'json' && request.task === 'parse') {
    parentPort?.postMessage({ id, kind: 'started' } satisfies ThreadMessage)
    const faults = jsonFaults(request.text)
    const count = faults.length
    const counts = { faultCount: count, breakCount: count }
    const outcome: ParseOutcome = {
      kind: 'parsed',
      faults,
      ...counts,
      complexity: null,
      definitions: [],
      constants: [],
    }
    return { id, kind: 'finished', outcome }
  }
  const text = request.language === 'markdown' ? toMarkdownSource(request.text) : request.text
  const innerName = innerLanguage(request.language)
  let parser: Parser
  let inner: Parser | null
  try {
    parser = await parserFor(request.language)
    inner = innerName === null ? null : await parserFor(innerName)
  } catch (error) {
    return { id, kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage({ id, kind: 'started' } satisfies ThreadMessage)
  try {
    return { id, kind: 'finished', outcome: work(parser, { ...request, text }, inner) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { id, kind: 'finished', outcome: { kind: 'broken', reason } }
  }
}

parentPort?.on('message', async (request: ParseRequest) => {
  // A byte-order mark is no part of the text; some grammars take it for indentation.
  parentPort?.postMessage(await answer({ ...request, text: request.text.replace(/^\uFEFF/, '') }))
})
