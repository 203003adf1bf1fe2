/** One way to connect a client: where the text goes, and the text. */
export interface ClientLines {
  readonly name: string
  readonly place: string
  readonly text: string
}

/**
 * The lines that connect clients to the endpoint at `url`, as in docs/clients.md. With TOKEN where a token goes, which the page
 * does not show: `npm start` prints the owner's, and `npm run keys -- token` makes others.
 */
export function clientLines(url: string): readonly ClientLines[] {
  const header = 'Authorization: Bearer TOKEN'
  return [
    {
      name: 'Claude Code',
      place: 'In a shell',
      text: `claude mcp add --transport http millwright ${url} --header "${header}"`,
    },
    {
      name: 'Cursor',
      place: '~/.cursor/mcp.json; it signs in with your key',
      text: JSON.stringify({ mcpServers: { millwright: { url } } }, null, 2),
    },
    {
      name: 'VS Code',
      place: '.vscode/mcp.json',
      text: JSON.stringify(
        {
          inputs: [{ type: 'promptString', id: 'millwright', description: 'Millwright token', password: true }],
          servers: { millwright: { type: 'http', url, headers: { Authorization: `Bearer \${input:millwright}` } } },
        },
        null,
        2,
      ),
    },
    {
      name: 'Codex',
      place: 'In a shell, with the token in MILLWRIGHT_TOKEN',
      text: `codex mcp add millwright --url ${url} --bearer-token-env-var MILLWRIGHT_TOKEN`,
    },
    {
      name: 'With a key',
      place:
        'In clients that sign in by themselves (Claude Code, claude.ai, Cursor, VS Code), where people have keys (npm run keys)',
      text: url,
    },
  ]
}
