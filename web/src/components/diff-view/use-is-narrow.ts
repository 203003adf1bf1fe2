import { useSyncExternalStore } from 'react'

/** Narrower than this, two texts side by side leave no line whole. */
const narrow = matchMedia('(max-width: 40rem)')

const subscribe = (listener: () => void) => {
  narrow.addEventListener('change', listener)
  return () => narrow.removeEventListener('change', listener)
}

/** Whether the window has no room for two texts beside each other. */
export const useIsNarrow = (): boolean => useSyncExternalStore(subscribe, () => narrow.matches)
