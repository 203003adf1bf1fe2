import type { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import type { Events } from '../api/events.ts'
import type { Tools } from '../api/tools.ts'
import type { ConnectionWatch } from './connection.ts'
import type { SessionKeeper } from './session.ts'
import type { Toasts } from './toasts.ts'

/** What views work with. Made once, in `main.tsx`. */
export interface Services {
  readonly session: SessionKeeper
  readonly connection: ConnectionWatch
  readonly tools: Tools
  readonly events: Events
  readonly queries: QueryClient
  readonly toasts: Toasts
}

export const ServicesContext = createContext<Services | null>(null)

export function useServices(): Services {
  const services = useContext(ServicesContext)
  if (services === null) throw new Error('useServices outside of ServicesContext')
  return services
}
