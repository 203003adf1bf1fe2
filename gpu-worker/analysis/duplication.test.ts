import { createHash } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import type { SourceLanguage } from '../ports/source-parser.ts'
import { type ComparedFiles, createDuplicationIndex, type Duplication, type DuplicationIndex } from './duplication.ts'
import { fingerprintsOf } from './fingerprints.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

/** A function of Python with `lines` different statements, about nine tokens each. */
function block(name: string, lines = 14): string {
  const statements = Array.from(
    { length: lines },
    (_, index) => `    ${name}_${index} = f${index}(${name}, ${index}) + b\n`,
  )
  return `def ${name}(a, b):\n${statements.join('')}    return ${name}\n`
}

const common = block('shared')

interface World {
  readonly files: ComparedFiles
  readonly texts: Map<string, string>
  reads: number
}

function createWorld(texts: Record<string, string>, language: SourceLanguage = 'python'): World {
  const byPath = new Map(Object.entries(texts))
  const world: World = {
    texts: byPath,
    reads: 0,
    files: {
      async *list() {
        for (const [path, text] of byPath) yield { path, language, bytes: text.length }
      },
      async read(path) {
        world.reads++
        const text = byPath.get(path)
        return text === undefined ? null : { text, sha256: createHash('sha256').update(text).digest('hex') }
      },
    },
  }
  return world
}

interface Asked {
  readonly path?: string | null
  readonly language?: SourceLanguage
  readonly budgetMs?: number
  readonly signal?: AbortSignal
  readonly onProgress?: () => void
}

async function compare(index: DuplicationIndex, world: World, text: string, asked: Asked = {}): Promise<Duplication> {
  const {
    path = null,
    language = 'python',
    budgetMs = 60_000,
    signal = AbortSignal.timeout(60_000),
    onProgress,
  } = asked
  const outcome = await parser.tokenize(language, text)
  if (outcome.kind !== 'tokenized') throw new Error(JSON.stringify(outcome))
  const side = { tokens: outcome.tokens, fingerprints: fingerprintsOf(outcome.tokens.hashes) }
  const options = { signal, budgetMs, ...(onProgress === undefined ? {} : { onProgress }) }
  return index.compare({ path, language, side }, world.files, options)
}

describe('createDuplicationIndex', () => {
  it('finds a copied function with both places', async () => {
    const world = createWorld({ 'a.py': `x = 1\n\n\n${common}`, 'b.py': block('other') })
    const found = await compare(createDuplicationIndex(parser), world, `${block('mine')}\n\n${common}`)
    expect(found.copies).toEqual([
      { path: 'a.py', line: 19, endLine: 34, otherLine: 4, otherEndLine: 19, tokens: expect.any(Number) },
    ])
    expect(found).toMatchObject({ duplicatedLines: 16, filesCompared: 2, filesLeft: 0, filesSkipped: 0 })
    expect(found.copies[0]?.tokens).toBeGreaterThanOrEqual(100)
  })

  it('sees through other comments, blanks and strings, but not other names', async () => {
    const other = common.replaceAll('(shared, ', '( shared,  ').replaceAll('\n    return', '\n    # done\n\n    return')
    const index = createDuplicationIndex(parser)
    expect((await compare(index, createWorld({ 'a.py': other }), common)).copies).toHaveLength(1)
    const renamed = createWorld({ 'a.py': common.replaceAll('shared', 'else_where') })
    expect((await compare(createDuplicationIndex(parser), renamed, common)).copies).toEqual([])
  })

  it('does not compare a file with itself on disk, but finds what stands twice in it', async () => {
    const text = `${common}\n\n${common}`
    const world = createWorld({ 'a.py': text })
    const found = await compare(createDuplicationIndex(parser), world, text, { path: 'a.py' })
    expect(found.copies).toMatchObject([{ path: null, line: 1, otherLine: 19 }])
    expect(found).toMatchObject({ duplicatedLines: 32, filesCompared: 0 })
  })

  it.each<[string, string]>([
    ['too few tokens', block('small', 7)],
    ['too few lines', `${common.replaceAll('\n    ', '; ').replace('b):; ', 'b): ')}`],
    ['a table of data', `x = [\n${'    ("a", "b", 1, 2),\n'.repeat(60)}]\n`],
    ['imports', `import a\n${Array.from({ length: 60 }, (_, index) => `from m${index} import n${index}\n`).join('')}`],
  ])('does not call it a copy: %s', async (_what, text) => {
    const world = createWorld({ 'a.py': text })
    expect((await compare(createDuplicationIndex(parser), world, text)).copies).toEqual([])
  })

  it('compares the kinds of JavaScript with each other, and no other languages', async () => {
    const script = (name: string) =>
      `function ${name}() {\n${Array.from({ length: 14 }, (_, index) => `  g${index}(a${index}, ${index} + b)\n`).join('')}}\n`
    const world = createWorld({ 'a.js': script('f') }, 'javascript')
    expect(
      (await compare(createDuplicationIndex(parser), world, script('f'), { language: 'tsx' })).copies,
    ).toHaveLength(1)
    const found = await compare(createDuplicationIndex(parser), createWorld({ 'a.py': common }), script('f'), {
      language: 'go',
    })
    expect(found.filesCompared).toBe(0)
  })

  it('reads a file again only when it has changed, and forgets one that is gone', async () => {
    let parses = 0
    const counting = {
      ...parser,
      tokenize(...args: Parameters<typeof parser.tokenize>) {
        parses++
        return parser.tokenize(...args)
      },
    }
    const index = createDuplicationIndex(counting)
    const world = createWorld({ 'a.py': block('one'), 'b.py': block('two') })
    await compare(index, world, common)
    expect(parses).toBe(2)
    await compare(index, world, common)
    expect(parses).toBe(2)
    world.texts.set('a.py', common)
    expect((await compare(index, world, common)).copies).toMatchObject([{ path: 'a.py' }])
    world.texts.delete('a.py')
    expect(await compare(index, world, common)).toMatchObject({ copies: [], filesCompared: 1 })
  })

  it('stops when its time is up, says what is left, and goes on with the next call', async () => {
    const index = createDuplicationIndex(parser)
    const world = createWorld({ 'a.py': block('one'), 'b.py': common })
    expect(await compare(index, world, common, { budgetMs: 0 })).toMatchObject({
      copies: [],
      filesCompared: 0,
      filesLeft: 2,
    })
    expect(await compare(index, world, common)).toMatchObject({ copies: [{ path: 'b.py' }], filesLeft: 0 })
    expect(await compare(index, world, common, { budgetMs: 0 })).toMatchObject({
      copies: [{ path: 'b.py' }],
      filesLeft: 0,
    })
  })

  it('counts the time from the call, so that calls at once do not add up', async () => {
    const index = createDuplicationIndex(parser)
    const gate = Promise.withResolvers<void>()
    const slow = createWorld({ 'a.py': block('one') })
    const held = {
      ...slow,
      files: { ...slow.files, read: (path: string) => gate.promise.then(() => slow.files.read(path)) },
    }
    const first = compare(index, held, common)
    const second = compare(index, createWorld({ 'a.py': block('one'), 'late.py': common }), common, { budgetMs: 1 })
    // Both texts are parsed before their turns are asked for; then the clock, and nothing else, has to pass.
    await parser.tokenize('python', 'x = 1\n')
    const begun = performance.now()
    while (performance.now() < begun + 2) await new Promise((resolve) => setImmediate(resolve))
    gate.resolve()
    expect(await first).toMatchObject({ filesCompared: 1, filesLeft: 0 })
    expect(await second).toMatchObject({ filesCompared: 1, filesLeft: 1, copies: [] })
  })

  it('passes over a file that cannot be parsed in time, and does not try it again', async () => {
    const strict = createTreeSitterParser({ deadlineMs: 100 })
    let parses = 0
    const counting = {
      ...strict,
      tokenize(...args: Parameters<typeof strict.tokenize>) {
        parses++
        return strict.tokenize(...args)
      },
    }
    try {
      const index = createDuplicationIndex(counting)
      const world = createWorld({ 'hostile.py': '('.repeat(200_000) })
      expect(await compare(index, world, common)).toMatchObject({ filesCompared: 0, filesSkipped: 1 })
      expect(await compare(index, world, common)).toMatchObject({ filesCompared: 0, filesSkipped: 1 })
      expect(parses).toBe(1)
    } finally {
      await strict.close()
    }
  })

  it('names a copy within a longer one of the same file only once', async () => {
    const world = createWorld({ 'a.py': `${common}\n\n${block('other')}\n\n${common}` })
    expect((await compare(createDuplicationIndex(parser), world, common)).copies).toHaveLength(1)
  })

  it('says what it cannot compare', async () => {
    const world = createWorld({ 'large.py': 'x = 1\n'.repeat(50_000), 'a.py': common })
    expect(await compare(createDuplicationIndex(parser), world, common)).toMatchObject({
      filesCompared: 1,
      filesSkipped: 1,
    })
  })

  it('tells how far it is, and stops when it is cancelled', async () => {
    const world = createWorld(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`${at}.py`, block(`n${at}`)])))
    const stop = new AbortController()
    let files = 0
    const onProgress = (): void => {
      files++
      if (files === 5) stop.abort()
    }
    const index = createDuplicationIndex(parser)
    const cancelled = compare(index, world, common, { signal: stop.signal, onProgress })
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
    expect(files).toBe(5)
    expect((await compare(index, world, common)).filesCompared).toBe(20)
    // Where every file is known there is nothing to parse, and it stops all the same.
    const early = AbortSignal.abort()
    await expect(compare(index, world, common, { signal: early })).rejects.toMatchObject({ code: 'cancelled' })
    const later = new AbortController()
    const stopped = compare(index, world, common, { signal: later.signal, onProgress: () => later.abort() })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('finds every copy of 100 tokens, wherever it begins', async () => {
    const tokens = Uint32Array.from({ length: 100 }, (_, index) => index * 7919 + 1)
    for (const before of [0, 1, 30, 51, 77, 500]) {
      const noise = (seed: number, length: number) => Array.from({ length }, (_, index) => (index + seed) * 104_729)
      const text = Uint32Array.from([...noise(9, before), ...tokens, ...noise(5000 + before, 300)])
      const own = new Set(fingerprintsOf(tokens).values)
      expect(
        fingerprintsOf(text).values.some((value) => own.has(value)),
        `after ${before} tokens`,
      ).toBe(true)
    }
  })
})
