import { AppError } from '#shared/errors.ts'
import type { Issue } from './read-draft.ts'

/** What the server found wrong in which argument, where its refusal says so; see `invalidInput`. */
export function issuesOfRefusal(error: unknown): readonly Issue[] {
  if (!(error instanceof AppError) || error.code !== 'invalid_input') return []
  const list = /^Cannot read the arguments of \w+: (.*)$/s.exec(error.message)?.[1]
  if (list === undefined) return []
  return list.split('; ').flatMap((line) => {
    const [, path, message] = /^(\(whole\)|[^:\s]+): (.+)$/s.exec(line) ?? []
    if (path === undefined || message === undefined) return []
    const text = message.charAt(0).toUpperCase() + message.slice(1)
    return [{ path: path === '(whole)' ? '' : path, message: text }]
  })
}
