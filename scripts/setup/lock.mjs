import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { say } from './progress.mjs'
import { SetupError } from './setup-error.mjs'

const POLL_MS = 200

/**
 * Runs `work` while no other set-up of this checkout does. A lock file names its owner; an owner that is gone (killed,
 * or its process id now belongs to something started later) loses it.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {{ timeoutMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(file, work, options = {}) {
  const mine = JSON.stringify({ pid: process.pid, started: processStart(process.pid) })
  const deadline = Date.now() + (options.timeoutMs ?? 15 * 60_000)
  let told = false
  while (!tryLock(file, mine)) {
    const owner = readOwner(file)
    if (owner !== undefined && isGone(owner)) {
      removeStale(file, owner.text)
      continue
    }
    if (!told && owner !== undefined) say(`Waiting for another set-up of this checkout (process ${owner.pid})`)
    told = true
    if (Date.now() > deadline) {
      throw new SetupError(`Cannot set up: process ${owner?.pid ?? 'unknown'} has held ${file} for too long`, [
        'End that process, or remove the file where it is none of ours, and start again',
      ])
    }
    await sleep(POLL_MS)
  }
  try {
    return await work()
  } finally {
    if (readOwner(file)?.text === mine) rmSync(file, { force: true })
  }
}

/**
 * A link either makes the whole file or fails: nobody ever reads a lock that is half written.
 * @param {string} file
 * @param {string} content
 */
function tryLock(file, content) {
  const candidate = `${file}.${process.pid}`
  writeFileSync(candidate, content)
  try {
    linkSync(candidate, file)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(candidate, { force: true })
  }
}

/** @param {string} file */
function readOwner(file) {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  try {
    const { pid, started } = JSON.parse(text)
    return { text, pid: Number(pid), started: String(started) }
  } catch {
    return { text, pid: 0, started: '' }
  }
}

/**
 * @param {{ pid: number, started: string }} owner
 */
function isGone({ pid, started }) {
  if (!Number.isInteger(pid) || pid <= 0) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === 'ESRCH'
  }
  return started !== '' && processStart(pid) !== started
}

/**
 * Two waiters may find the same stale lock, and the slower one must not take away what the faster one has put in its
 * place: what was moved aside is looked at, and put back where it is not the stale one.
 * @param {string} file
 * @param {string} staleText
 */
function removeStale(file, staleText) {
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
    if (readFileSync(aside, 'utf8') !== staleText) linkSync(aside, file)
  } catch (error) {
    const code = errorCode(error)
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/**
 * When a process started, in the kernel's own ticks, so that a reused process id is told from its first owner. Empty
 * where the system does not say so in a file; then the process id alone decides.
 * @param {number} pid
 */
function processStart(pid) {
  try {
    // The second field is the program's name and may hold spaces and brackets: the rest begins after the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
