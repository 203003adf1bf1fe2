import { describe, expect, it } from 'vitest'
import { CopyPredictor } from './copy-predictor.ts'

const FILE = Array.from({ length: 60 }, (_, index) => 100 + index)
const PROMPT = [1, 2, 3, 7, 8, ...FILE, 4, 5]

/** Writes the answer, and counts the tokens of it that were guessed right and wrong, one at a time. */
function write(predictor: CopyPredictor, answer: readonly number[]) {
  let right = 0
  let wrong = 0
  for (const token of answer) {
    const [guess] = predictor.predict(1)
    if (guess === token) right++
    else if (guess !== undefined) wrong++
    predictor.push(token)
  }
  return { right, wrong }
}

describe('guesses of a copy', () => {
  it('begin with the second token that stands in the prompt, and go on as long as it does', () => {
    const predictor = new CopyPredictor(PROMPT)
    expect(write(predictor, [7])).toEqual({ right: 0, wrong: 0 })
    expect(predictor.predict(5)).toEqual([])
    predictor.push(8)
    expect(predictor.predict(5)).toEqual([100, 101, 102, 103, 104])
    expect(write(predictor, FILE)).toEqual({ right: 60, wrong: 0 })
    expect(predictor.predict(9)).toEqual([4, 5])
  })

  it('go on right after a token that was changed', () => {
    const answer = FILE.map((token, index) => (index % 6 === 5 ? 900 + index : token))
    const { right, wrong } = write(new CopyPredictor(PROMPT), [7, 8, ...answer])
    expect(right).toBe(50)
    expect(wrong).toBe(10)
  })

  it.each([
    ['added', [...FILE.slice(0, 30), 901, 902, 903, 904, ...FILE.slice(30)]],
    ['taken out', [...FILE.slice(0, 20), ...FILE.slice(35)]],
  ])('find the place again after tokens that were %s', (_what, answer) => {
    const predictor = new CopyPredictor(PROMPT)
    const { right, wrong } = write(predictor, [7, 8, ...answer])
    expect(wrong).toBeLessThanOrEqual(2)
    expect(right).toBeGreaterThanOrEqual(answer.length - 8)
    expect(predictor.acceptance).toBeGreaterThan(0.9)
  })

  it('take the place near the last one where several look alike', () => {
    const twice = [50, 51, 60, 61, 62, 50, 51, 70, 71, 72, 50, 51, 80, 81, 82]
    const predictor = new CopyPredictor(twice)
    write(predictor, [60, 61, 62, 50, 51, 999, 998, 50, 51])
    expect(predictor.predict(2)).toEqual([70, 71])
  })

  it('are none in a text that is new, and count as wrong where it only begins like the prompt', () => {
    const predictor = new CopyPredictor(PROMPT)
    expect(write(predictor, [900, 901, 902, 903])).toEqual({ right: 0, wrong: 0 })
    const before = predictor.acceptance
    write(predictor, [100, 101, 905, 906, 907])
    expect(predictor.acceptance).toBeLessThan(before)
    expect(predictor.predict(4)).toEqual([])
  })
})
