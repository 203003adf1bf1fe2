import { useState } from 'react'
import { Panel } from '../../components/panel.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { useServices } from '../../state/services.ts'
import { useStore } from '../../state/use-store.ts'
import { KeyForm } from './key-form.tsx'
import { NewKeyForm } from './new-key-form.tsx'
import { TokenForm } from './token-form.tsx'
import './sign-in.css'

const ways = [
  { name: 'key', label: 'Private key' },
  { name: 'token', label: 'Access token' },
  { name: 'new', label: 'New key' },
] as const
type Way = (typeof ways)[number]['name']

/** The ways in. */
export function SignInPanel() {
  const { session } = useServices()
  const state = useStore(session.state)
  const [way, setWay] = useState<Way>('key')
  return (
    <div className="sign-in" id="authentication">
      <Panel title="Authentication">
        {state.kind === 'signed_out' && state.reason === 'ended' && (
          <p className="sign-in-ended" role="alert">
            Your session has ended. Authenticate again to go on where you were.
          </p>
        )}
        <Tabs label="Ways to authenticate" tabs={ways} chosen={way} onChoose={setWay}>
          {way === 'key' && <KeyForm />}
          {way === 'token' && <TokenForm />}
          {way === 'new' && <NewKeyForm />}
        </Tabs>
      </Panel>
    </div>
  )
}
