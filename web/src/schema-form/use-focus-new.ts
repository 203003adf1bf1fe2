import { type RefObject, useEffect, useRef } from 'react'

/** Returns what to call before an item is added: its first control then has the keyboard. */
export function useFocusNew(list: RefObject<HTMLElement | null>, count: number): () => void {
  const isAwaited = useRef(false)
  const before = useRef(count)
  useEffect(() => {
    if (isAwaited.current && count > before.current) {
      list.current?.lastElementChild?.querySelector<HTMLElement>('input, textarea, select')?.focus()
    }
    if (count !== before.current) isAwaited.current = false
    before.current = count
  }, [list, count])
  return () => {
    isAwaited.current = true
  }
}
