import { useState } from 'react'
import { Button } from './button.tsx'
import './code.css'

interface CodeProps {
  readonly text: string
  /** What it is, for a screen reader and for the button. */
  readonly label: string
}

/** Text to take away as it stands, with a button that copies it. */
export function Code({ text, label }: CodeProps) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
  }
  return (
    <figure className="code" aria-label={label}>
      <pre>
        <code>{text}</code>
      </pre>
      <Button look="quiet" aria-label={`Copy: ${label}`} onClick={() => void copy()}>
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </figure>
  )
}
