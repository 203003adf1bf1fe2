import { describe, expect, it } from 'vitest'
import { parseAcceptanceOptions } from './options.ts'

const read = (...argv: string[]) => parseAcceptanceOptions(argv, '/home/me', '/millwright/reports')

describe('the options of npm run acceptance', () => {
  it('have defaults, and take what is said', () => {
    expect(read()).toEqual({
      help: false,
      model: 'demo',
      agents: 100,
      threads: 1,
      out: '/millwright/reports',
      browser: true,
    })
    expect(read('--model', 'qwen2.5-7b', '--agents', '250', '--threads', '4', '--out', 'r', '--no-browser')).toEqual({
      help: false,
      model: 'qwen2.5-7b',
      agents: 250,
      threads: 4,
      out: '/home/me/r',
      browser: false,
    })
  })

  it.each([
    [['--agents', '0'], '--agents needs a whole number'],
    [['--threads', 'x'], '--threads needs a whole number'],
    [['--model', ''], '--model needs a model'],
    [['--fast'], "Unknown option '--fast'"],
    [['more'], 'more'],
  ])('refuse %o', (argv, message) => {
    expect(() => read(...argv)).toThrow(message)
  })
})
