import { describe, expect, it } from 'vitest'
import { followStream } from './followed-stream.ts'

function start() {
  const ends: string[] = []
  const leaving = new AbortController()
  let writer: ReadableStreamDefaultController<Uint8Array> | undefined
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      writer = controller
    },
    cancel: () => void ends.push('source'),
  })
  const followed = followStream(source, () => ends.push('followed'), leaving.signal)
  return { ends, followed, leaving, writer: () => writer ?? expect.unreachable('A stream starts at once') }
}

describe('a followed stream', () => {
  it('has the bytes of its source, and tells once that it is over', async () => {
    const { ends, followed, writer } = start()
    writer().enqueue(new TextEncoder().encode('one '))
    writer().enqueue(new TextEncoder().encode('two'))
    expect(ends).toEqual([])
    writer().close()
    expect(await new Response(followed).text()).toBe('one two')
    expect(ends).toEqual(['followed'])
  })

  it('tells that its reader has given it up, and gives up its source', async () => {
    const { ends, followed } = start()
    await followed.cancel()
    expect(ends).toEqual(['followed', 'source'])
  })

  it('ends with the request that it answers, of which nobody may have told it by reading', async () => {
    const { ends, followed, leaving } = start()
    leaving.abort()
    leaving.abort()
    expect(ends).toEqual(['followed', 'source'])
    expect(await new Response(followed).text()).toBe('')
    expect(ends).toEqual(['followed', 'source'])
  })

  it('tells that its source has failed, which its reader learns as well', async () => {
    const { ends, followed, writer } = start()
    writer().error(new Error('broken'))
    await expect(new Response(followed).text()).rejects.toThrow('broken')
    expect(ends).toEqual(['followed'])
  })
})
