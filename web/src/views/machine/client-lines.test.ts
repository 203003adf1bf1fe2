import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { clientLines } from './client-lines.ts'

describe('clientLines', () => {
  it('says what the README says', () => {
    const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8')
    const lines = clientLines('http://127.0.0.1:8000/mcp')
    const [shell, ...files] = lines.map(({ text }) => text)
    expect(readme).toContain(shell)
    const written = [...readme.matchAll(/```json\n(.*)\n```/g)].map(([, text]) => JSON.parse(text ?? '') as unknown)
    expect(written).toEqual(files.slice(0, 2).map((text) => JSON.parse(text) as unknown))
  })
})
