import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GenerateRequest } from '#gpu-worker/ports/language-model.ts'
import { projectFolder } from '#scripts/setup/paths.mjs'

// The package under test/fixtures/improvable, and what a model answers that is asked to improve it.

const fixture = join(projectFolder, 'test', 'fixtures', 'improvable')

/** Its files by path. */
export function improvableFiles(): Record<string, string> {
  const root = join(fixture, 'repository')
  const paths = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    paths.map((entry) => {
      const file = join(entry.parentPath, entry.name)
      return [file.slice(root.length + 1), readFileSync(file, 'utf8')]
    }),
  )
}

export interface Asked {
  readonly action: 'generate_documentation' | 'refactor_code' | 'generate_tests'
  /** The file that is to be written. */
  readonly path: string
}

/** What a request of the agent loop asks for. */
export function askedOf({ turns }: GenerateRequest): Asked {
  const path = /only writer of `([^`]+)`/.exec(turns[0]?.text ?? '')?.[1]
  const prompt = turns.find(({ role }) => role === 'user')?.text ?? ''
  const task = prompt.slice(prompt.lastIndexOf('### Task'))
  if (path === undefined) throw new Error('A request names no file to write')
  if (task.includes('Write tests for')) return { action: 'generate_tests', path }
  return { action: task.includes('Refactor this file') ? 'refactor_code' : 'generate_documentation', path }
}

/** The fixture's answer to a request; where it has none, the file's own text. */
export function improvedAnswer(request: GenerateRequest): string {
  const { action, path } = askedOf(request)
  const answer = join(fixture, 'answers', action, path)
  const text = existsSync(answer) ? readFileSync(answer, 'utf8') : (improvableFiles()[path] ?? '')
  return inFence(text)
}

export const inFence = (text: string): string => `\`\`\`javascript\n${text}\`\`\``
