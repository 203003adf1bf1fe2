import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGrammarMatcher, type GrammarMatcher } from '#test/support/grammar-matcher.ts'
import type { EditsGrammar } from '../ports/answer-grammar.ts'
import { EditStages, editsAtOnce } from './edit-stages.ts'

let matcher: GrammarMatcher
beforeAll(async () => {
  matcher = await createGrammarMatcher()
})
afterAll(() => matcher.close())

const form = { kind: 'edits', lines: 30, info: 'python', fenceLength: 3 } as const
const block = (text: string) => `\`\`\`python\n${text}\`\`\``

/** What ends each stage: no answer holds it. */
const WALL = '\u{10FFFF}'

/** Whether each stage of an answer keeps to the grammar of that stage, and the answer may end where it does. */
async function takes(answer: string, changes: Partial<EditsGrammar> = {}): Promise<boolean> {
  const stages = new EditStages({ ...form, ...changes })
  let { grammar } = stages
  let stage = ''
  for (const character of answer) {
    stage += character
    const isBoundary = await matcher.matches(grammar, stage + WALL)
    // What has left its grammar no model could have written.
    if (/^(Replace|Delete) \d+-$/.test(stage) && !isBoundary) return false
    if (!stages.push(character)) continue
    if (!isBoundary) return false
    grammar = stages.grammar
    stage = ''
  }
  return matcher.matches(grammar, stage)
}

describe('EditStages', () => {
  it.each([
    `Replace 3-5\n${block('x = 1\n')}`,
    `Replace 1-30\n${block('')}`,
    'Delete 30-30',
    `Insert after 0\n${block('import x\n')}`,
    `Insert after 30\n${block('x\n')}`,
    `Insert after 0\n${block('a\n')}\nReplace 1-2\n${block('b\n')}\nDelete 3-4\nInsert after 4\n${block('c\n')}\nInsert after 29\n${block('d\n')}\nDelete 30-30`,
    `Replace 2-2\n${block('Replace 9-\nDelete 3-4\nInsert after 2\n  ```\n``x``\n')}\nReplace 7-9\n${block('\n')}`,
  ])('takes %j', async (answer) => {
    expect(await takes(answer)).toBe(true)
  })

  it.each([
    ['no edit', ''],
    ['words', 'Here it is.'],
    ['a line 0', `Replace 0-1\n${block('x\n')}`],
    ['a line behind the end', `Replace 31-31\n${block('x\n')}`],
    ['a range that ends behind the end', `Replace 5-31\n${block('x\n')}`],
    ['a range that ends before it begins', `Replace 5-4\n${block('x\n')}`],
    ['a place behind the end', `Insert after 31\n${block('x\n')}`],
    ['a line twice', `Replace 5-7\n${block('x\n')}\nDelete 7-8`],
    ['an earlier line', `Replace 5-7\n${block('x\n')}\nDelete 2-2`],
    ['a place before the last edit', `Replace 5-7\n${block('x\n')}\nInsert after 6\n${block('x\n')}`],
    ['the same place twice', `Insert after 6\n${block('x\n')}\nInsert after 6\n${block('x\n')}`],
    ['a fence without an end', 'Replace 5-7\n```python\nx\n'],
    ['another fence', 'Replace 5-7\n```js\nx\n```'],
    ['more behind the end', `Insert after 30\n${block('x\n')}\n`],
    ['words behind it', `Replace 5-7\n${block('x\n')}\nDone`],
  ])('refuses %s', async (_what, answer) => {
    expect(await takes(answer)).toBe(false)
  })
})

describe('EditStages, where a fence has no name', () => {
  it.each([
    'Replace 3-5\n```\nx = 1\n```\nDelete 7-7',
    'Replace 3-5\n```\n```',
    'Insert after 2\n```\n\n```\nDelete 3-3',
  ])('takes %j', async (answer) => {
    expect(await takes(answer, { info: '' })).toBe(true)
  })

  it.each(['Replace 3-5\n```\nDelete 7-7', 'Replace 3-5\n```\n```\n```\n'])('refuses %j', async (answer) => {
    expect(await takes(answer, { info: '' })).toBe(false)
  })
})

describe('EditStages, for any numbers', () => {
  /** Always the same, so that what fails once fails again. */
  function createDice(seed: number): (sides: number) => number {
    let state = seed
    return (sides) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * sides)
    }
  }

  it('takes what exists from top to bottom, and nothing else', async () => {
    const dice = createDice(7)
    const seen = { taken: 0, refused: 0 }
    for (let round = 0; round < 150; round++) {
      const lines = [3, 12, 120, 2000][dice(4)] ?? 1
      let used = 0
      let insertFrom = 0
      let isValid = true
      const edits = Array.from({ length: 1 + dice(2) }, () => {
        const from = Math.max(0, used + dice(6) - 1)
        const to = from + dice(Math.ceil(lines / 2)) - 1
        const isInsertion = dice(3) === 0
        isValid &&= isInsertion ? from >= insertFrom && from <= lines : from > used && from <= to && to <= lines
        used = isInsertion ? from : Math.max(to, 0)
        insertFrom = isInsertion ? from + 1 : used
        if (isInsertion) return `Insert after ${from}\n${block('x\n')}`
        return dice(2) === 0 ? `Delete ${from}-${Math.max(to, 0)}` : `Replace ${from}-${Math.max(to, 0)}\n${block('')}`
      })
      const answer = edits.join('\n')
      expect(await takes(answer, { lines }), `${answer} of ${lines}`).toBe(isValid)
      seen[isValid ? 'taken' : 'refused']++
    }
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(30)
  })

  it('has small grammars for large files', () => {
    expect(new EditStages({ ...form, lines: 98_765 }).grammar.length).toBeLessThan(2500)
  })
})

describe('editsAtOnce', () => {
  const grammar = editsAtOnce(form)

  it('takes edits of lines that exist', async () => {
    const answer = `Insert after 0\n${block('a\n')}\nReplace 7-12\n${block('b\n')}\nDelete 30-30`
    expect(await matcher.matches(grammar, answer)).toBe(true)
  })

  it.each([`Replace 1-31\n${block('')}`, 'Delete 0-1', `Insert after 31\n${block('')}`, ''])(
    'refuses %j',
    async (answer) => {
      expect(await matcher.matches(grammar, answer)).toBe(false)
    },
  )
})
