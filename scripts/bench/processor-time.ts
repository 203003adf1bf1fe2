import { readdirSync, readFileSync } from 'node:fs'

/** `proc(5)` counts in ticks, of which every Linux that Node runs on has a hundred in a second. */
const MS_PER_TICK = 10

/**
 * Milliseconds of processor time, of the program and of the system for it, that children of this process with a name have
 * used. Unlike the time on the clock it does not grow while others have the processor. Linux only.
 */
export function childrenProcessorMs(name: string): number {
  let ticks = 0
  for (const pid of readdirSync('/proc')) {
    const child = /^\d+$/.test(pid) ? readStat(pid) : null
    if (child !== null && child.parent === process.pid && child.name === name) ticks += child.ticks
  }
  return ticks * MS_PER_TICK
}

function readStat(pid: string): { name: string; parent: number; ticks: number } | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // It has ended meanwhile.
    return null
  }
}

/** The name stands in brackets and may hold any of them; the fields behind it are numbers, but for the state. */
export function parseStat(text: string): { name: string; parent: number; ticks: number } {
  const end = text.lastIndexOf(')')
  const fields = text.slice(end + 2).split(' ')
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    parent: Number(fields[1]),
    ticks: Number(fields[11]) + Number(fields[12]),
  }
}
