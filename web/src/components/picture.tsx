import { useEffect, useRef, useState } from 'react'
import './picture.css'

interface PictureProps {
  /** In base64. */
  readonly data: string
  readonly mimeType: string
  readonly label: string
}

/**
 * A picture out of an answer, drawn and not loaded: the page's policy takes pictures from files of the server only. What
 * the browser cannot read as one says so.
 */
export function Picture({ data, mimeType, label }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    let isShown = true
    const draw = async () => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type: mimeType }))
      const element = canvas.current
      if (!isShown || element === null) return
      element.width = bitmap.width
      element.height = bitmap.height
      element.getContext('2d')?.drawImage(bitmap, 0, 0)
      setProblem(undefined)
    }
    draw().catch(() => isShown && setProblem(`This ${mimeType} cannot be shown`))
    return () => {
      isShown = false
    }
  }, [data, mimeType])
  return (
    <figure className="picture">
      <canvas ref={canvas} role="img" aria-label={label} />
      {problem !== undefined && <figcaption role="alert">{problem}</figcaption>}
    </figure>
  )
}
