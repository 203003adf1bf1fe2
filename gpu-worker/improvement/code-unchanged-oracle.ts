import { AppError } from '#shared/errors.ts'
import { fileKind } from '../gates/file-kind.ts'
import type { SourceLanguage, SourceParser } from '../ports/source-parser.ts'
import { held, type Oracle, refused } from './oracle.ts'

const OBJECTION =
  'The code itself has changed: put back every line of before as it was, and add nothing but documentation'

/**
 * Documentation is all that changes: without comments and docstrings the code is the same, token by token and block by block.
 * Comments that tools obey (`noqa`, `@ts-ignore`, `//go:build`) are code here.
 */
export async function createCodeUnchangedOracle(
  parser: SourceParser,
  path: string,
  before: string,
  signal: AbortSignal,
): Promise<Oracle> {
  const { language } = fileKind(path)
  const was = language === null ? null : await codeOf(parser, language, before, signal)
  if (language === null || was === null) {
    throw new AppError('invalid_input', `Cannot document "${path}": its code cannot be told from its comments`, {
      hint: 'Ask for kind "readme", or give the task to chat_with_agent',
    })
  }
  return {
    rule: 'code_unchanged',
    asks: 'Nothing but documentation changes: the code stays as it is, token by token',
    async judge(text, judgeSignal) {
      const is = await codeOf(parser, language, text, judgeSignal)
      return is?.hash === was.hash ? held(`all ${was.tokens} tokens of the code are the same`) : refused([OBJECTION])
    },
  }
}

async function codeOf(parser: SourceParser, language: SourceLanguage, text: string, signal: AbortSignal) {
  const outcome = await parser.readCode(language, text, signal)
  return outcome.kind === 'code' ? outcome : null
}
