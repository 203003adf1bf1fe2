/** The revision whose requests stand alone, so that one line is a whole call. */
const REVISION = '2026-07-28'

/** A call as a line for `sh`, to be pasted as it stands where `$MILLWRIGHT_TOKEN` is set. */
export function toCurlLine(endpoint: string, tool: string, args: Readonly<Record<string, unknown>>): string {
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: tool,
      arguments: args,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': REVISION,
        'io.modelcontextprotocol/clientInfo': { name: 'curl', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }
  return [
    `curl -sS ${quote(endpoint)}`,
    '-H "Authorization: Bearer $MILLWRIGHT_TOKEN"',
    "-H 'Content-Type: application/json'",
    "-H 'Accept: application/json, text/event-stream'",
    `-H 'MCP-Protocol-Version: ${REVISION}'`,
    "-H 'Mcp-Method: tools/call'",
    `-H ${quote(`Mcp-Name: ${tool}`)}`,
    // Not --data: that would read a file where the text begins with @, and drop line ends.
    `--data-raw ${quote(JSON.stringify(body))}`,
  ].join(' \\\n  ')
}

/** One word of `sh`, to the character. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
