import './status-light.css'

export type Light = 'good' | 'waiting' | 'bad' | 'off'

interface StatusLightProps {
  readonly light: Light
  /** What the light means; colour alone tells nobody. */
  readonly children: string
}

export const StatusLight = ({ light, children }: StatusLightProps) => (
  <span className="status-light" data-light={light}>
    <span className="status-light-lamp" aria-hidden="true" />
    {children}
  </span>
)
