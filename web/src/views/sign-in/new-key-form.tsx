import { useState } from 'react'
import { Button } from '../../components/button.tsx'
import { Code } from '../../components/code.tsx'
import { createKeyPair, type NewKey } from '../../keys/new-key.ts'

/** Makes a key pair here, for who has none, and says how its public half is registered. */
export function NewKeyForm() {
  const [pair, setPair] = useState<NewKey>()
  const [busy, setBusy] = useState(false)

  async function make(): Promise<void> {
    setBusy(true)
    setPair(await createKeyPair())
    setBusy(false)
  }

  return (
    <div className="stack" aria-live="polite">
      <p className="soft sign-in-text">
        The pair is made in this browser. You keep the private half; whoever runs the server registers the public one.
      </p>
      <div className="sign-in-buttons">
        <Button look={pair === undefined ? 'primary' : 'plain'} busy={busy} onClick={() => void make()}>
          Make a new key
        </Button>
      </div>
      {pair !== undefined && (
        <ol className="new-key">
          <li>
            <p>Save the private half. This page does not keep it.</p>
            <Button onClick={() => save('millwright.pem', pair.privatePem)}>Save millwright.pem</Button>
          </li>
          <li>
            <p>Save the public half and send it to whoever runs the server.</p>
            <Button onClick={() => save('millwright.pem.pub', pair.publicPem)}>Save millwright.pem.pub</Button>
          </li>
          <li>
            <p>They register it with this line, in place of NAME your name:</p>
            <Code label="The command" text="npm run keys -- add millwright.pem.pub --user NAME" />
            <p className="soft">
              It then shows this fingerprint: <code>{pair.fingerprint}</code>
            </p>
          </li>
        </ol>
      )}
    </div>
  )
}

/** As a download: the browser asks nobody for it. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
