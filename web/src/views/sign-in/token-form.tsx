import { type FormEvent, useState } from 'react'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { useServices } from '../../state/services.ts'
import { signInMessage } from '../../state/sign-in-words.ts'

/** Signs in with a token that was made elsewhere. */
export function TokenForm() {
  const { session } = useServices()
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)

  async function use(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await session.signInWithToken(token.trim())
    } catch (error) {
      setProblem(signInMessage(error))
      setBusy(false)
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void use(event)}>
      <Field
        label="Access token"
        hint="The one that npm start printed, on this computer; or one of npm run keys -- token. It is kept in this browser until you sign out."
        error={problem}
      >
        {(control) => (
          <input
            {...control}
            type="password"
            autoComplete="off"
            required
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        )}
      </Field>
      <div className="sign-in-buttons">
        <Button type="submit" look="primary" busy={busy}>
          Use this token
        </Button>
      </div>
      <p className="visually-hidden" role="alert">
        {problem}
      </p>
    </form>
  )
}
