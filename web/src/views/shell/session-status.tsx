import { Button } from '../../components/button.tsx'
import { type Light, StatusLight } from '../../components/status-light.tsx'
import { useServices } from '../../state/services.ts'
import { signInMessage } from '../../state/sign-in-words.ts'
import { useStore } from '../../state/use-store.ts'
import './session-status.css'

/** As this computer's clock will show it then. */
const toLocalTime = (epochMs: number): string =>
  new Date(epochMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })

/** Whether somebody is signed in, who, in which session and workspace; and the way out. */
export function SessionStatus() {
  const { session, connection, toasts } = useServices()
  const state = useStore(session.state)
  const { condition } = useStore(connection.state)
  const isReachable = condition !== 'offline' && condition !== 'server_unreachable'
  if (state.kind === 'signed_out') {
    return (
      <div className="session" role="status">
        <StatusLight light="off">{state.reason === 'ended' ? 'Session ended' : 'Not authenticated'}</StatusLight>
      </div>
    )
  }
  const { session_id, user_name, workspace, ends_at, server_ahead_ms } = state.session
  const light: Light = isReachable ? 'good' : 'waiting'
  const signOut = () =>
    session.signOut().catch((error: unknown) => {
      toasts.show('failed', `Signed out here, but the server did not hear of it: ${signInMessage(error)}`)
    })
  return (
    <div className="session">
      <span role="status">
        <StatusLight light={light}>Authenticated</StatusLight>
      </span>
      <span className="session-facts">
        {user_name} in {workspace}
        <span className="session-id">
          Session <code data-session-id="">{session_id ?? "owner's token"}</code>
        </span>
      </span>
      {state.endsSoon && ends_at !== null && (
        <span className="session-end" role="alert">
          Ends at {toLocalTime(Date.parse(ends_at) - server_ahead_ms)}: sign out, and in again with your key
        </span>
      )}
      <Button look="quiet" onClick={() => void signOut()}>
        Sign out
      </Button>
    </div>
  )
}
