/** One way to connect a client: where the text goes, and the text. */
export interface ClientLines {
  readonly name: string
  readonly place: string
  readonly text: string
}

/**
 * The lines that connect clients to the endpoint at `url`, as in the README. With TOKEN where a token goes, which the page
 * does not show: `npm start` prints the owner's, and `npm run keys -- token` makes others.
 */
export function clientLines(url: string): readonly ClientLines[] {
  const header = 'Authorization: Bearer TOKEN'
  const headers = { Authorization: 'Bearer TOKEN' }
  return [
    {
      name: 'Claude Code',
      place: 'In a shell',
      text: `claude mcp add --transport http millwright ${url} --header "${header}"`,
    },
    {
      name: 'Cursor and others',
      place: '~/.cursor/mcp.json, or the configuration file of the client',
      text: JSON.stringify({ mcpServers: { millwright: { url, headers } } }, null, 2),
    },
    {
      name: 'VS Code',
      place: '.vscode/mcp.json',
      text: JSON.stringify({ servers: { millwright: { type: 'http', url, headers } } }, null, 2),
    },
    {
      name: 'With a key',
      place: 'In clients that sign in by themselves, where people have keys (npm run keys)',
      text: url,
    },
  ]
}
