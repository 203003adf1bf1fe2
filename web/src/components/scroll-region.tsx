import type { ReactNode } from 'react'

interface ScrollRegionProps {
  readonly label: string
  readonly className: string
  readonly children: ReactNode
}

const makeReachable = (element: HTMLElement | null) => element?.setAttribute('tabindex', '0')

/** A part that scrolls by itself, with nothing in it to go to: the keyboard reaches it and the arrow keys move it. */
export const ScrollRegion = ({ label, className, children }: ScrollRegionProps) => (
  <section ref={makeReachable} className={className} aria-label={label}>
    {children}
  </section>
)
