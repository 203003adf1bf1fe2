import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Makes sure that a port of the loopback can be listened on; a free one is chosen for 0. Throws an Error that says why
 * it cannot.
 */
export async function claimPort(port: number): Promise<number> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error(`Cannot listen on port ${port}: no address`)
    return address.port
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
