import type { Theme, ThemeChoice } from '../../state/theme.ts'
import { useStore } from '../../state/use-store.ts'

const labels: Readonly<Record<Theme, string>> = { system: 'System colours', light: 'Light', dark: 'Dark' }

export function ThemeSwitch({ theme }: { readonly theme: ThemeChoice }) {
  const chosen = useStore(theme.state)
  return (
    <select
      className="theme-switch"
      aria-label="Colours"
      value={chosen}
      onChange={(event) => theme.choose(event.target.value as Theme)}
    >
      {Object.entries(labels).map(([name, label]) => (
        <option key={name} value={name}>
          {label}
        </option>
      ))}
    </select>
  )
}
