import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import * as v from 'valibot'

// A real browser, driven by the protocol of its own developer tools.

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']

/** A Chromium of this machine by path, or undefined. `MILLWRIGHT_CHROMIUM` names another. */
export function findBrowser(): string | undefined {
  const told = process.env.MILLWRIGHT_CHROMIUM
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = told === undefined ? folders.flatMap((folder) => names.map((name) => join(folder, name))) : [told]
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const Message = v.looseObject({
  id: v.optional(v.number()),
  method: v.optional(v.string()),
  params: v.optional(v.record(v.string(), v.unknown())),
  result: v.optional(v.record(v.string(), v.unknown())),
  error: v.optional(v.looseObject({ message: v.string() })),
})

export interface Page {
  /** Errors and refusals that the page has reported: scripts that failed, what its policy has blocked. */
  readonly reports: readonly string[]
  /** Addresses that the page was sent to, loaded or not. */
  readonly visits: readonly string[]
  goTo(url: string): Promise<void>
  /** The value of an expression in the page, as JSON. */
  evaluate(expression: string): Promise<unknown>
  /** Waits until an expression is true. Rejects after ten seconds. */
  until(expression: string): Promise<void>
  click(selector: string): Promise<void>
  choose(selector: string, file: string): Promise<void>
  /** PNG. */
  screenshot(): Promise<Uint8Array>
  close(): Promise<void>
}

const WAIT_MS = 10_000

/** Opens a page in a browser of its own, with an empty profile. */
export async function openPage(binary: string, size: { width: number; height: number }): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'millwright-browser-'))
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    `--user-data-dir=${profile}`,
    `--window-size=${size.width},${size.height}`,
    '--remote-debugging-port=0',
    'about:blank',
  ]
  const child = spawn(binary, flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  const socket = await connect(child)
  const waiting = new Map<number, (message: v.InferOutput<typeof Message>) => void>()
  const reports: string[] = []
  const visits: string[] = []
  let session: string | undefined
  let count = 0

  socket.addEventListener('message', ({ data }) => {
    const message = v.parse(v.pipe(v.string(), v.parseJson(), Message), data)
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    else if (message.method === 'Runtime.exceptionThrown' || message.method === 'Log.entryAdded') {
      reports.push(JSON.stringify(message.params))
    } else if (message.method === 'Page.frameRequestedNavigation') visits.push(String(message.params?.url))
  })

  async function send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    count++
    const id = count
    const answer = new Promise<v.InferOutput<typeof Message>>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params, ...(session === undefined ? {} : { sessionId: session }) }))
    const { result, error } = await answer
    waiting.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result ?? {}
  }

  const { targetInfos } = v.parse(
    v.looseObject({ targetInfos: v.array(v.looseObject({ targetId: v.string(), type: v.string() })) }),
    await send('Target.getTargets'),
  )
  const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId
  const attached = await send('Target.attachToTarget', { targetId, flatten: true })
  session = v.parse(v.string(), attached.sessionId)
  for (const domain of ['Page', 'Runtime', 'Log', 'DOM']) await send(`${domain}.enable`)

  async function evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = v.parse(
      v.looseObject({
        result: v.looseObject({ value: v.optional(v.unknown()) }),
        exceptionDetails: v.optional(v.unknown()),
      }),
      await send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true, userGesture: true }),
    )
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  return {
    reports,
    visits,
    evaluate,
    goTo: async (url) => {
      await send('Page.navigate', { url })
    },
    async until(expression) {
      const end = Date.now() + WAIT_MS
      // The page may be on its way to another one, in which nothing can be asked for a moment.
      while ((await evaluate(expression).catch(() => false)) !== true) {
        if (Date.now() > end) throw new Error(`Never true in the page: ${expression}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    click: async (selector) => {
      await evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`)
    },
    async choose(selector, file) {
      const { root } = v.parse(
        v.looseObject({ root: v.looseObject({ nodeId: v.number() }) }),
        await send('DOM.getDocument'),
      )
      const { nodeId } = await send('DOM.querySelector', { nodeId: root.nodeId, selector })
      await send('DOM.setFileInputFiles', { files: [file], nodeId })
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true })
      return Buffer.from(String(data), 'base64')
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      socket.close()
      child.kill('SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The browser says on its standard error where it listens. */
async function connect(child: ChildProcess): Promise<WebSocket> {
  const { stderr } = child
  if (stderr === null) throw new Error('The browser has no standard error')
  const url = await new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: stderr })
    lines.on('line', (line) => {
      const [, found] = /^DevTools listening on (ws:\S+)/.exec(line) ?? []
      if (found !== undefined) resolve(found)
    })
    child.once('exit', (status) => reject(new Error(`The browser ended with ${status}`)))
    child.once('error', reject)
  })
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', () => reject(new Error('Cannot reach the browser')), { once: true })
  })
  return socket
}
