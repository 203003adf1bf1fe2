import { type ComponentType, lazy } from 'react'

export interface ViewProps {
  /** What stands in the address after the name of the view. */
  readonly rest: readonly string[]
}

export interface ViewEntry {
  /** As it stands in the address: `#/agents`. */
  readonly name: string
  /** As it stands in the navigation and in the title of the window. */
  readonly title: string
  readonly View: ComponentType<ViewProps>
  /** Stays as it is when only `rest` changes, and is told the new one; else each address is shown anew. */
  readonly keepsState?: boolean
}

/** Every view, in the order of the navigation; the first is where the page begins. Each is loaded when it is first shown. */
export const views: readonly [ViewEntry, ...ViewEntry[]] = [
  { name: 'agents', title: 'Agents', View: lazy(() => import('./views/agents/agents-route.tsx')) },
  { name: 'tools', title: 'Tools', View: lazy(() => import('./views/tools/tools-view.tsx')), keepsState: true },
  {
    name: 'repository',
    title: 'Repository',
    View: lazy(() => import('./views/repository/repository-view.tsx')),
    keepsState: true,
  },
  { name: 'quality', title: 'Quality', View: lazy(() => import('./views/quality/quality-view.tsx')) },
  { name: 'jobs', title: 'Jobs', View: lazy(() => import('./views/jobs/jobs-view.tsx')) },
  { name: 'machine', title: 'Machine', View: lazy(() => import('./views/machine/machine-view.tsx')) },
]
