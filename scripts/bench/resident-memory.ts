import { readFileSync } from 'node:fs'

/** Resident memory of a process, in MiB. Linux only; throws for a process that has ended. */
export function residentMiB(pid: number): number {
  return parseResidentMiB(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

export function parseResidentMiB(status: string): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kibibytes === undefined) throw new Error('Cannot tell the memory of a process: it has ended')
  return Number(kibibytes) / 1024
}
