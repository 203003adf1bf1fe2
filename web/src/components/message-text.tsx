import { toMessageParts } from './message-parts.ts'
import './message-text.css'

/** A message of a person or a model, as text with code in it. Whatever else it holds is shown as it is written. */
export const MessageText = ({ text }: { readonly text: string }) => (
  <div className="message-text">
    {toMessageParts(text).map((part, index) => {
      // The parts of a text have no other identity than their place.
      const key = `${index}`
      if (part.kind === 'block') {
        return (
          <pre key={key}>
            <code>{part.text}</code>
          </pre>
        )
      }
      return part.kind === 'code' ? <code key={key}>{part.text}</code> : <span key={key}>{part.text}</span>
    })}
  </div>
)
