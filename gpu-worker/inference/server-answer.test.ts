import { expect, it } from 'vitest'
import { withoutThoughts } from './server-answer.ts'

it.each([
  ['```py\n<think>\n```', '```py\n<think>\n```'],
  ['<think>A class?\n</think>\n\n```py\nx\n```', '```py\nx\n```'],
  ['\n<think>\n</think>x </think>', 'x </think>'],
  ['<think>never ends', ''],
  ['', ''],
])('takes the thoughts off %j', (text, answer) => {
  expect(withoutThoughts(text)).toBe(answer)
})
