import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { Table } from '../../components/table.tsx'
import { toMoment } from '../../components/words.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { endSession, listSessions, type OwnSession } from './own-sessions.ts'

const KEY = ['own sessions'] as const

/** Where else the person who is signed in is signed in, and the way to end it. */
export function SessionsPanel() {
  const { session, queries, toasts } = useServices()
  const [asked, setAsked] = useState<OwnSession>()
  const sessions = useQuery({
    queryKey: KEY,
    queryFn: async () => listSessions(await session.token()),
    enabled: useSignedIn(),
  })
  const end = useMutation({
    mutationFn: async ({ session_id }: OwnSession) => endSession(await session.token(), session_id),
    onSuccess: async (_answer, ended) => {
      setAsked(undefined)
      toasts.show('done', `Session ${ended.session_id} is over`)
      await queries.invalidateQueries({ queryKey: KEY })
    },
  })
  return (
    <Panel title="Your sessions">
      {sessions.isPending && sessions.error === null && <LoadingState>Loading sessions…</LoadingState>}
      {sessions.error !== null && sessions.data === undefined && (
        <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      {sessions.data?.length === 0 && (
        <EmptyState title="No sessions">
          <p>You use a token, which opens none. Sessions begin when somebody signs in with a key.</p>
        </EmptyState>
      )}
      {sessions.data !== undefined && sessions.data.length > 0 && (
        <Table
          caption="Your sessions"
          rows={sessions.data}
          keyOf={({ session_id }) => session_id}
          columns={[
            {
              title: 'Session',
              cell: ({ session_id, label, current }) => (
                <span className="own-session">
                  <code>{session_id}</code>
                  <span className="soft">
                    {[...(current ? ['this one'] : []), ...(label === '' ? [] : [label])].join(' · ')}
                  </span>
                </span>
              ),
            },
            { title: 'Kind', isWideOnly: true, cell: ({ kind }) => kind },
            { title: 'May', isWideOnly: true, cell: ({ scopes }) => scopes.join(', ') },
            { title: 'Since', isWideOnly: true, cell: ({ created_at }) => toMoment(created_at) },
            { title: 'Ends', cell: ({ ends_at }) => toMoment(ends_at) },
            {
              title: 'Action',
              cell: (own) =>
                own.current ? (
                  <span className="soft">Sign out above</span>
                ) : (
                  <Button look="quiet" aria-label={`End session ${own.session_id}`} onClick={() => setAsked(own)}>
                    End
                  </Button>
                ),
            },
          ]}
        />
      )}
      {asked !== undefined && (
        <Dialog title="End this session?" onClose={() => setAsked(undefined)}>
          <p>
            Whoever works in <code>{asked.session_id}</code> must sign in with the key again.
          </p>
          {end.error !== null && <ErrorState error={end.error} />}
          <div className="dialog-buttons">
            <Button onClick={() => setAsked(undefined)}>Keep it</Button>
            <Button look="danger" busy={end.isPending} onClick={() => end.mutate(asked)}>
              End it
            </Button>
          </div>
        </Dialog>
      )}
    </Panel>
  )
}
