import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems hand out unasked (Linux from 32768, others from 49152), above the well-known services. */
const CHOSEN_FROM = 15_000
const CHOSEN_TO = 32_767
const TRIES = 100

/**
 * Makes sure that a port of the loopback can be listened on. For 0 a free one is chosen, at random and not by the system:
 * what the system chooses, it may give to any other connection before its user listens, or while that is restarted. Throws
 * an Error that says why it cannot.
 */
export async function claimPort(port: number): Promise<number> {
  if (port !== 0) {
    await tryPort(port)
    return port
  }
  for (let tries = 1; ; tries++) {
    const chosen = randomInt(CHOSEN_FROM, CHOSEN_TO + 1)
    try {
      await tryPort(chosen)
      return chosen
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

async function tryPort(port: number): Promise<void> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EADDRINUSE') {
      throw new Error(`Cannot listen on port ${port}: another program has it. Stop that, or pass another --port`, {
        cause,
      })
    }
    if (code === 'EACCES') {
      throw new Error(`Cannot listen on port ${port}: the system does not allow it. Pass a --port above 1023`, {
        cause,
      })
    }
    throw cause
  } finally {
    server.close()
  }
}
