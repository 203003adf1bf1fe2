import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readReplyCorpus } from '#test/support/reply-corpus.ts'
import { readCandidate } from './candidate.ts'
import { chooseForm } from './choose-form.ts'

const corpus = readReplyCorpus(fileURLToPath(new URL('../../test/fixtures/replies', import.meta.url)))

describe('readCandidate', () => {
  it('has a corpus of cases with names of their own', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(60)
    expect(new Set(corpus.map(({ title }) => title)).size).toBe(corpus.length)
  })

  it.each(corpus)('$title ($verdict)', ({ path, task, isEdits, stopReason, before, reply, verdict, file }) => {
    const form = chooseForm(path, before, isEdits ? 0 : Number.POSITIVE_INFINITY)
    const found = form.read({ text: reply, stopReason }, task)
    if (file === null) {
      expect(found.failures.map(({ rule }) => rule)).toEqual([verdict])
      for (const { message } of found.failures) expect(message.length).toBeGreaterThan(10)
      return
    }
    expect(found.failures).toEqual([])
    expect(found.text).toBe(file)
  })

  it('keeps thinking, marks and envelopes out of the words', () => {
    const reply = {
      text: '<think>Hm.</think>\n<file>\nDone:\n```\nx = 1\n```\n</file>\n<|im_end|>',
      stopReason: 'end',
    } as const
    expect(readCandidate(reply, { path: 'a.py', before: null, message: 'Write x' }).prose).toBe('Done:')
  })
})
