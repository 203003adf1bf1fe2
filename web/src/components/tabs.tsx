import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from 'react'
import './tabs.css'

export interface Tab<Name extends string> {
  readonly name: Name
  readonly label: string
}

interface TabsProps<Name extends string> {
  readonly label: string
  readonly tabs: readonly Tab<Name>[]
  readonly chosen: Name
  readonly onChoose: (name: Name) => void
  /** What the chosen tab shows. */
  readonly children: ReactNode
}

/** Arrow keys go from tab to tab, and the tab key from there into what it shows. */
export function Tabs<Name extends string>({ label, tabs, chosen, onChoose, children }: TabsProps<Name>) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  // On a narrow screen the list scrolls: the chosen tab is seen whole. `scrollIntoView` would move the page as well.
  useEffect(() => {
    const scroller = list.current
    const tab = scroller?.children[tabs.findIndex(({ name }) => name === chosen)]
    if (scroller === null || !(tab instanceof HTMLElement)) return
    const place = tab.getBoundingClientRect()
    const frame = scroller.getBoundingClientRect()
    scroller.scrollLeft += Math.min(0, place.left - frame.left) + Math.max(0, place.right - frame.right)
  }, [tabs, chosen])
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const index = (tabs.findIndex(({ name }) => name === chosen) + step + tabs.length) % tabs.length
    const next = tabs[index]
    if (next !== undefined) onChoose(next.name)
    list.current?.querySelectorAll('button')[index]?.focus()
  }
  return (
    <div className="tabs">
      <div className="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map(({ name, label: text }) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-selected={name === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={name === chosen ? 0 : -1}
            onClick={() => onChoose(name)}
          >
            {text}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`} className="tab-panel">
        {children}
      </div>
    </div>
  )
}
