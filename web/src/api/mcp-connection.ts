import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { SessionKeeper } from '../state/session.ts'

/** The revision whose requests stand alone: one question at the start, and no session to lose afterwards. */
const REVISION = '2026-07-28'

/** An MCP client for this server. Rejects as the library does, and as the session does where nobody is signed in. */
export async function openMcpClient(url: URL, session: Pick<SessionKeeper, 'token' | 'refused'>): Promise<Client> {
  const client = new Client(
    { name: 'millwright-page', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: REVISION } } },
  )
  let sent = ''
  const authProvider = {
    async token() {
      sent = await session.token()
      return sent
    },
    onUnauthorized: () => session.refused(sent),
  }
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider }))
  return client
}
