import { createStore } from './store.ts'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'millwright.theme'
const isTheme = (text: string | null): text is Theme => text === 'system' || text === 'light' || text === 'dark'

/** The colours that the person chose, or the system's. Written on the root element, where the style sheet looks. */
export function createTheme(storage: Pick<Storage, 'getItem' | 'setItem'>, root: { dataset: DOMStringMap }) {
  const kept = storage.getItem(KEY)
  const state = createStore<Theme>(isTheme(kept) ? kept : 'system')
  root.dataset.theme = state.get()
  return {
    state,
    choose(theme: Theme) {
      storage.setItem(KEY, theme)
      root.dataset.theme = theme
      state.set(theme)
    },
  }
}
export type ThemeChoice = ReturnType<typeof createTheme>
