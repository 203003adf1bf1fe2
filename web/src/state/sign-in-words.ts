import { AppError } from '#shared/errors.ts'

/** What the server's reasons mean for the person, and what to do. */
const words: Readonly<Record<string, string>> = {
  key_not_accepted:
    'This key is not registered. Whoever runs the server registers its public half: npm run keys -- add',
  challenge_expired: 'That took too long. Authenticate once more',
  challenge_used: 'This was sent before. Authenticate once more',
  challenge_not_ours: 'The server has been set up anew meanwhile. Authenticate once more',
  wrong_origin: 'The server knows itself under another address than this page. Open the page by that one',
  clock: "The server's clock has gone back since it asked. Authenticate once more",
  no_workspace: 'Your key is known, but you are a member of no workspace here. Ask whoever runs the server',
  session_over: 'The session is over. Authenticate again',
  refresh_reused: 'The session was ended: somebody has used a copy of it. Authenticate again',
}

/** An error of signing in as one sentence for the person; any error of ours has one. */
export function signInMessage(error: unknown): string {
  if (error instanceof AppError) {
    const said = words[String(error.details?.reason)]
    return said ?? [error.message, error.hint].filter((part) => part !== undefined).join('. ')
  }
  return error instanceof Error ? error.message : String(error)
}
