import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import type { ModelSupervisor } from '../inference/model-supervisor.ts'
import { createDigestCheck } from './model-digest.ts'
import { createLlamaModel } from './node-llama-cpp.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'millwright-digest-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const sha256 = (...texts: (string | Uint8Array)[]): string =>
  texts.reduce((hash, text) => hash.update(text), createHash('sha256')).digest('hex')
const { signal } = new AbortController()

describe('the check of a hash', () => {
  it('lets the right file through, and names both hashes of another', async () => {
    const path = join(folder, 'right.gguf')
    const text = 'x'.repeat(10_000_000)
    await writeFile(path, text)
    await createDigestCheck(sha256(text))(path, signal)
    const [expected, found] = [sha256('other'), sha256(text)]
    await expect(createDigestCheck(expected)(path, signal)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: `Cannot load "right.gguf": its SHA-256 is ${found}, expected is ${expected}`,
      hint: expect.stringContaining('#sha256='),
      details: { file: 'damaged', expected, found },
    })
  })

  it('takes the parts of a split model one after another', async () => {
    const parts = ['one', 'two', 'three'].map((text, index) => ({
      text,
      path: join(folder, `m-0000${index + 1}-of-00003.gguf`),
    }))
    for (const { text, path } of parts) await writeFile(path, text)
    await createDigestCheck(sha256('one', 'two', 'three'))(parts[0]?.path ?? '', signal)
    await writeFile(parts[2]?.path ?? '', 'four')
    await expect(createDigestCheck(sha256('one', 'two', 'three'))(parts[0]?.path ?? '', signal)).rejects.toThrow(
      /SHA-256/,
    )
  })

  it('reads a file once, and again when it has changed', async () => {
    const path = join(folder, 'once.gguf')
    const time = new Date('2026-01-01')
    await writeFile(path, 'right')
    await utimes(path, time, time)
    const check = createDigestCheck(sha256('right'))
    await check(path, signal)
    // Nothing but its content tells that it changed, and that is not read.
    await writeFile(path, 'wrong')
    await utimes(path, time, time)
    await check(path, signal)
    await writeFile(path, 'longer')
    await expect(check(path, signal)).rejects.toThrow(/SHA-256/)
    await writeFile(`${path}.new`, 'right')
    await rename(`${path}.new`, path)
    await check(path, signal)
  })

  it('ends when nobody waits for it any more', async () => {
    const path = join(folder, 'right.gguf')
    await expect(createDigestCheck(sha256('x'))(path, AbortSignal.abort(new Error('closing')))).rejects.toThrow(
      'closing',
    )
  })
})

describe('a model with a hash', () => {
  const open: ModelSupervisor[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((model) => model.close()))
  })
  const answer = async (model: ModelSupervisor): Promise<number> => {
    const request = { turns: [{ role: 'user' as const, text: 'Go' }], answerTokensMax: 3, temperature: 0 }
    return (await model.generate(request, { signal: AbortSignal.timeout(25_000) })).usage.completion_tokens
  }

  it('is refused before it is loaded while its file is another, and loaded once the right one is there', async () => {
    const [right, path] = [join(folder, 'tiny.gguf'), join(folder, 'used.gguf')]
    await writeTinyModel(right)
    await writeTinyModel(path, { seed: 2 })
    const [expected, found] = [sha256(await readFile(right)), sha256(await readFile(path))]
    const reference = `${path}#sha256=${expected}`
    const model = createLlamaModel({ reference, modelsFolder: folder, threads: 1, gpu: false })
    open.push(model)
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(answer(model)).rejects.toMatchObject({ code: 'model_unavailable', details: { expected, found } })
    }
    expect(model.info()).toMatchObject({ name: 'used.gguf', state: 'failed', detail: expect.stringContaining(found) })
    expect(model.processId()).toBe(null)
    await copyFile(right, path)
    expect(await answer(model)).toBe(3)
    // A file that is changed under a model is found when its process starts again.
    await writeTinyModel(path, { seed: 3 })
    process.kill(model.processId() ?? 0, 'SIGKILL')
    await expect.poll(() => model.info().state, { timeout: 10_000 }).toBe('failed')
    await expect(answer(model)).rejects.toThrow(/SHA-256/)
  })
})
