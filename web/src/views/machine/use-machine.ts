import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { getServerInfo } from '#shared/tools/system.ts'
import { toolQuery } from '../../api/queries.ts'
import { useServices } from '../../state/services.ts'
import { useStore } from '../../state/use-store.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { createSamples } from './samples.ts'

const SAMPLE_MS = 5000

/** Kept as long as the page is open, whichever view it shows. */
const samples = createSamples()

/** The server as it is, and what was seen of it while this view was open. */
export function useMachine() {
  const { tools } = useServices()
  const { data, dataUpdatedAt, error, isPending, refetch } = useQuery({
    ...toolQuery(tools, getServerInfo, {}),
    enabled: useSignedIn(),
    refetchInterval: SAMPLE_MS,
  })
  useEffect(() => {
    if (data !== undefined) samples.add(dataUpdatedAt, data)
  }, [data, dataUpdatedAt])
  return { info: data, samples: useStore(samples.state), error, isPending, retry: () => void refetch() }
}
