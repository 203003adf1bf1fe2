import { type DragEvent, type FormEvent, useState } from 'react'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { PassphraseError } from '../../keys/key-file-error.ts'
import { importPrivateKey, KEY_FILE_CHARACTERS_MAX } from '../../keys/private-key.ts'
import { useServices } from '../../state/services.ts'
import { signInMessage } from '../../state/sign-in-words.ts'

/** What is wrong, and beside which field it is said. */
interface Problem {
  readonly about: 'key' | 'passphrase'
  readonly text: string
}

/** Signs in with a key that is pasted, dropped or chosen. The text is let go as soon as it has signed. */
export function KeyForm() {
  const { session } = useServices()
  const [text, setText] = useState('')
  const [passphrase, setPassphrase] = useState('')
  const [asksPassphrase, setAsksPassphrase] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const canSign = globalThis.crypto?.subtle !== undefined

  function change(next: string): void {
    setText(next)
    setProblem(undefined)
    setPassphrase('')
    setAsksPassphrase(next.includes('BEGIN ENCRYPTED PRIVATE KEY'))
  }

  async function read(file: File | undefined): Promise<void> {
    if (file === undefined) return
    if (file.size > KEY_FILE_CHARACTERS_MAX)
      return setProblem({ about: 'key', text: 'This file is too large for a key' })
    change(await file.text())
  }

  async function authenticate(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await session.signIn(await importPrivateKey(text, passphrase), 'Web page')
    } catch (error) {
      const about = error instanceof PassphraseError ? 'passphrase' : 'key'
      if (about === 'passphrase') setAsksPassphrase(true)
      setProblem({ about, text: signInMessage(error) })
      setBusy(false)
    }
  }

  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    void read(event.dataTransfer.files[0])
  }

  const textAbout = (field: Problem['about']) => (problem?.about === field ? problem.text : undefined)

  return (
    <form className="stack" onSubmit={(event) => void authenticate(event)}>
      <Field
        label="RSA private key"
        hint="As PEM: paste it, drop its file here, or choose it. The page signs with it and forgets it: the key never leaves this browser."
        error={
          canSign ? textAbout('key') : 'This page needs HTTPS, or an address of this computer, to sign with your key'
        }
      >
        {(control) => (
          <textarea
            {...control}
            className="code-input"
            rows={7}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            placeholder="-----BEGIN PRIVATE KEY-----"
            value={text}
            onChange={(event) => change(event.target.value)}
            onDragOver={(event) => event.preventDefault()}
            onDrop={onDrop}
          />
        )}
      </Field>
      {asksPassphrase && (
        <Field label="Passphrase of the key" error={textAbout('passphrase')}>
          {(control) => (
            <input
              {...control}
              type="password"
              autoComplete="off"
              value={passphrase}
              onChange={(event) => {
                setPassphrase(event.target.value)
                setProblem(undefined)
              }}
            />
          )}
        </Field>
      )}
      <div className="sign-in-buttons">
        <Button type="submit" look="primary" busy={busy} disabled={!canSign}>
          Authenticate
        </Button>
        <label className="button button-plain file-button">
          Choose a file
          <input
            type="file"
            className="visually-hidden"
            accept=".pem,.key,.txt"
            onChange={(event) => {
              void read(event.target.files?.[0])
              event.target.value = ''
            }}
          />
        </label>
      </div>
      <p className="visually-hidden" role="alert">
        {problem?.text}
      </p>
    </form>
  )
}
