import { type Machines, readMachines } from './machine-store.ts'

/** A person who enrolls a machine waits for this, and whoever revokes one. */
const LOOK_MS = 500

/**
 * Calls `onChange` when the machines of a NATS server have become others: somebody has enrolled or revoked one, or the time
 * of an enrollment is over. Never throws; what cannot be read is logged and leaves things as they are. Returns how to stop.
 */
export function followMachines(
  natsFolder: string,
  log: (line: string) => void,
  onChange: (machines: Machines) => void,
): () => void {
  let seen = JSON.stringify(currentMachines(natsFolder))
  let complained = false
  const timer = setInterval(() => {
    try {
      const machines = currentMachines(natsFolder)
      const text = JSON.stringify(machines)
      if (text === seen) return
      seen = text
      complained = false
      onChange(machines)
    } catch (error) {
      if (!complained) log(error instanceof Error ? error.message : String(error))
      complained = true
    }
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** Without the enrollments that nobody has used in time. */
export function currentMachines(natsFolder: string): Machines {
  const { machines, enrollments } = readMachines(natsFolder)
  return { machines, enrollments: enrollments.filter(({ expires_at }) => expires_at > Date.now()) }
}
