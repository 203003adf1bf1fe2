import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { fileKind } from '../gates/file-kind.ts'
import { docCommentFor } from '../gates/missing-docs.ts'
import { isTestFile } from '../gates/test-file.ts'
import { createCodeUnchangedOracle } from './code-unchanged-oracle.ts'
import { createDocumentedOracle, findUndocumented } from './documented-oracle.ts'
import { claimCode, collectPaths, type Plan, type PlanRequest, readText } from './plan.ts'
import { createReadmeOracle } from './readme-oracle.ts'

/** What one answer documents: more makes a small model lose its way. */
const NAMES_TOLD_MAX = 20
/** What a README is written from. */
const CONTEXT_FILES_MAX = 6
const CONTEXT_CHARACTERS_MAX = 24_000
const MODULE_FILES_MAX = 200

/** Documentation in the code: fewer public names lack it, and the code is the same token by token. */
export async function planDocstrings(request: PlanRequest): Promise<Plan> {
  const { ports, signal } = request
  const file = await claimCode('document', request)
  const comment = docCommentFor(file.kind)
  const missing = await findUndocumented(ports.parser, file.path, file.text, signal)
  if (comment === null || missing === null) {
    throw new AppError('invalid_input', `Cannot document "${file.path}": its public names are not known here`, {
      hint: 'It must parse, and be Python, JavaScript, TypeScript, Go, Rust or Java; for others use chat_with_agent',
    })
  }
  if (missing.length === 0) {
    throw new AppError('already_exists', `Cannot document "${file.path}": every public name has documentation`, {
      hint: 'For better words give the task to chat_with_agent',
    })
  }
  const named = missing.slice(0, NAMES_TOLD_MAX).map(({ name, line }) => `\`${name}\` (line ${line})`)
  return {
    file,
    context: [],
    message: `Add ${comment} to each of these, which says what it does, and change nothing else: ${named.join(', ')}.`,
    oracles: [
      await createCodeUnchangedOracle(ports.parser, file.path, file.text, signal),
      createDocumentedOracle(ports.parser, file.path, missing),
    ],
  }
}

/** The README of a module's folder: what it names exists. */
export async function planReadme(request: PlanRequest): Promise<Plan> {
  const { ports, signal, claim, path } = request
  const source = await ports.files.resolve(path, 'read')
  const folder = source.path.includes('/') ? source.path.slice(0, source.path.lastIndexOf('/')) : ''
  const file = await claim(folder === '' ? 'README.md' : `${folder}/README.md`)
  const { codes, isListed } = await readModule(folder, source.path, request)
  if (codes.length === 0) {
    throw new AppError('not_found', `Cannot write "${file.path}": there is no code in its folder`, {
      hint: 'Name a file of code in the folder that is to be described',
    })
  }
  const publicNames = new Set<string>()
  for (const code of codes) {
    const { language } = fileKind(code.path)
    const outcome = language === null ? null : await ports.parser.parse(language, code.text, signal)
    for (const each of outcome?.kind === 'parsed' ? outcome.definitions : [])
      if (each.isPublic && !isTestFile(code.path)) publicNames.add(each.name.slice(each.name.lastIndexOf('.') + 1))
  }
  return {
    file,
    context: chooseContext(codes),
    message: `Write the README of ${folder === '' ? 'this repository' : `the folder \`${folder}\``}: what it is for, what it offers, and how it is used. Name only what is in its code.`,
    oracles: [
      createReadmeOracle({
        publicNames,
        texts: codes.map(({ text }) => text),
        exists: async (link) => isListed(toPath(folder, link)),
      }),
    ],
  }
}

interface ModuleFile {
  readonly path: string
  readonly text: string
}

/** The code in a folder and below it, the named file first, and which paths there are. */
async function readModule(folder: string, first: string, request: PlanRequest) {
  const paths = await collectPaths(request)
  const listed = new Set<string>()
  for (const path of paths)
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) listed.add(path.slice(0, at))
  const inFolder = paths.filter((path) => (folder === '' || path.startsWith(`${folder}/`)) && fileKind(path).isCode)
  const ordered = inFolder.toSorted((a, b) => rank(a, first) - rank(b, first) || a.localeCompare(b))
  const codes: ModuleFile[] = []
  for (const path of ordered.slice(0, MODULE_FILES_MAX)) {
    const code = await readText(request.ports.files, path, FILE_BYTES_MAX).catch(nullForRefusal)
    if (code !== null) codes.push(code)
  }
  return { codes, isListed: (path: string) => listed.has(path) }
}

/** The file that was named, then those beside it, then those below, tests last. */
const rank = (path: string, first: string): number =>
  path === first ? 0 : path.split('/').length + (isTestFile(path) ? 100 : 0)

/** What may not be read or is no text tells the model nothing. */
function nullForRefusal(error: unknown): null {
  if (error instanceof AppError) return null
  throw error
}

function chooseContext(codes: readonly ModuleFile[]): string[] {
  const chosen: string[] = []
  let characters = 0
  for (const { path, text } of codes) {
    characters += text.length
    if (chosen.length === CONTEXT_FILES_MAX || (chosen.length > 0 && characters > CONTEXT_CHARACTERS_MAX)) break
    chosen.push(path)
  }
  return chosen
}

/** Where a link in the README of a folder leads; empty where it leads out of the repository. */
function toPath(folder: string, link: string): string {
  const parts = link.startsWith('/') ? [] : folder.split('/').filter((each) => each !== '')
  for (const part of link.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return ''
  }
  return parts.join('/')
}
