import { Component, type ReactNode } from 'react'
import { Panel } from '../../components/panel.tsx'
import { ErrorState } from '../../components/states.tsx'

interface ViewBoundaryProps {
  readonly children: ReactNode
}

/** A view that fails, or cannot be loaded, leaves the rest of the page in use. */
export class ViewBoundary extends Component<ViewBoundaryProps, { error: unknown }> {
  override state: { error: unknown } = { error: undefined }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    if (this.state.error === undefined) return this.props.children
    return (
      <Panel title="This view cannot be shown">
        <ErrorState error={this.state.error} onRetry={() => location.reload()} />
      </Panel>
    )
  }
}
