import { readFileSync, writeFileSync } from 'node:fs'

/** Resident memory of a process, in MiB. Linux only; throws for a process that has ended. */
export function residentMiB(pid: number): number {
  return parseResidentMiB(readStatus(pid))
}

/** The most that a process had since its start, or since `forgetPeak`: the kernel keeps it, so no moment is missed. */
export function peakMiB(pid: number): number {
  return parsePeakMiB(readStatus(pid))
}

/** The peak of a process of this user begins anew with what it has now. */
export function forgetPeak(pid: number): void {
  // proc_pid_clear_refs(5): "Writing 5 to this file resets the peak resident set size".
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

export const parseResidentMiB = (status: string): number => parseMiB(status, 'VmRSS')
export const parsePeakMiB = (status: string): number => parseMiB(status, 'VmHWM')

const readStatus = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8')

function parseMiB(status: string, field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (kibibytes === undefined) throw new Error('Cannot tell the memory of a process: it has ended')
  return Number(kibibytes) / 1024
}
