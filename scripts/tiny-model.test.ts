import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaModel } from '#gpu-worker/adapters/node-llama-cpp.ts'
import { writeTinyModel } from './tiny-model.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'millwright-tiny-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('writeTinyModel', () => {
  it('writes the same bytes for the same seed, and others for another', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, `${name}.gguf`)) as [string, string, string]
    const bytes = await writeTinyModel(a)
    await writeTinyModel(b)
    await writeTinyModel(c, { seed: 2 })
    expect((await stat(a)).size).toBe(bytes)
    expect(bytes).toBeLessThan(200_000)
    expect((await readFile(a)).equals(await readFile(b))).toBe(true)
    expect((await readFile(a)).equals(await readFile(c))).toBe(false)
  })

  it.each(['q8_0', 'q4_0'] as const)(
    'makes a %s model that llama.cpp loads and generates with',
    async (quantisation) => {
      const path = join(folder, `${quantisation}.gguf`)
      await writeTinyModel(path, { quantisation })
      const model = createLlamaModel({ reference: path, modelsFolder: folder, threads: 1, gpu: false })
      try {
        const turns = [
          { role: 'system' as const, text: 'You write.' },
          { role: 'user' as const, text: 'Write.' },
        ]
        const request = { turns, answerTokensMax: 40, temperature: 0 }
        const answer = await model.generate(request, { signal: AbortSignal.timeout(20_000) })
        expect(answer.usage.completion_tokens).toBe(40)
        expect(answer.stopReason).toBe('length')
        // Not one token for ever, which is what carelessly drawn weights give.
        expect(new Set(answer.text).size).toBeGreaterThan(2)
      } finally {
        await model.close()
      }
    },
  )

  it('refuses a shape that the format cannot hold', async () => {
    await expect(writeTinyModel(join(folder, 'x.gguf'), { hidden: 65 })).rejects.toThrow(RangeError)
  })
})
