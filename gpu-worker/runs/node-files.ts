import type { CommandLine } from '../ports/command-runner.ts'

/** Read to see what they import. A repository with more names them in its test script or in millwright.json. */
const FILES_READ_MAX = 2000
/** Imports stand at the top. */
const HEAD_CHARACTERS = 16_384

const SCRIPT_TEST =
  /(?:[._-](?:test|spec)|(?:^|\/)test(?:-[^/]*)?|(?:^|\/)(?:tests?|__tests__)\/(?:.*\/)?[^/]+)\.[cm]?[jt]s$/

/** The files that look like tests and use node:test. */
export async function findNodeTests(view: {
  readonly paths: readonly string[]
  read(path: string): Promise<string | null>
}): Promise<string[]> {
  const found: string[] = []
  for (const path of view.paths.filter((each) => SCRIPT_TEST.test(each)).slice(0, FILES_READ_MAX)) {
    const head = (await view.read(path))?.slice(0, HEAD_CHARACTERS) ?? ''
    if (/(?:from|import|require\()\s*['"]node:test['"]/.test(head)) found.push(path)
  }
  return found
}

/** A test script that runs node's own runner, as arguments; null for any other, and for one that needs a shell. */
export function parseNodeScript(script: string): CommandLine | null {
  const [program, ...args] = script.trim().split(/\s+/).map(withoutQuotes)
  if (program !== 'node' || !args.includes('--test')) return null
  return /[$`&;<>()\\'"]|\|/.test(args.join(' ')) ? null : [program, ...args]
}

const withoutQuotes = (word: string): string => /^(["'])([^"']*)\1$/.exec(word)?.[2] ?? word
