import { describe, expect, it } from 'vitest'
import { ANSWER_TAIL_CHARACTERS_MAX } from '#shared/protocol/limits.ts'
import { answerTail } from './answer-tail.ts'

describe('answerTail', () => {
  it('keeps a short answer whole, and of a long one the end', () => {
    expect(answerTail('a = 1\n')).toBe('a = 1\n')
    expect(answerTail(`x${'y'.repeat(ANSWER_TAIL_CHARACTERS_MAX)}`)).toBe('y'.repeat(ANSWER_TAIL_CHARACTERS_MAX))
  })

  it('shows no halves of characters', () => {
    const cut = answerTail(`😀${'y'.repeat(ANSWER_TAIL_CHARACTERS_MAX - 1)}`)
    expect(cut).toBe('y'.repeat(ANSWER_TAIL_CHARACTERS_MAX - 1))
    expect(answerTail('half of an emoji: \uFFFD')).toBe('half of an emoji: ')
  })
})
