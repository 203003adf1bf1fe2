import { execFileSync } from 'node:child_process'
import { until } from './live-stack.ts'

/** The process of this parent that holds a model. Waits for it. */
export async function modelProcessOf(parent: number, not?: number): Promise<number> {
  let found: number | undefined
  await until(() => {
    found = modelProcessesOf(parent).find((pid) => pid !== not)
    return found !== undefined
  })
  return found ?? 0
}

/** All processes of this parent that hold a model, or are about to. */
export function modelProcessesOf(parent: number): number[] {
  return listProcesses()
    .filter((each) => each.parent === parent && each.command.includes('node-llama-cpp-child'))
    .map(({ pid }) => pid)
}

function listProcesses(): { pid: number; parent: number; command: string }[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
      return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
    })
}

/** Resident memory of a process. */
export function residentBytesOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024
}
