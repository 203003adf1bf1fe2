import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { clientLines } from './client-lines.ts'

describe('clientLines', () => {
  it('says what docs/clients.md says', () => {
    const document = readFileSync(new URL('../../../../docs/clients.md', import.meta.url), 'utf8')
    const [claude, cursor, vsCode, codex] = clientLines('URL').map(({ text }) => text)
    expect(document).toContain(claude)
    expect(document).toContain(codex)
    const written = [...document.matchAll(/```json\n([^`]*)\n```/g)].map(
      ([, text]) => JSON.parse(text ?? '') as unknown,
    )
    for (const file of [cursor, vsCode]) expect(written).toContainEqual(JSON.parse(file ?? '') as unknown)
  })
})
