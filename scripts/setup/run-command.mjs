import { spawn } from 'node:child_process'
import { createProgress } from './progress.mjs'

const OUTPUT_LINES_SHOWN = 20
const OUTPUT_CHARACTERS_KEPT = 64 * 1024

/**
 * @typedef {object} CommandResult
 * @property {boolean} ok
 * @property {string} output standard output and error together; the end of it where it is long
 * @property {string} problem why it is not ok: a status, a signal, the time limit, or that it could not start
 */

/**
 * Runs a program to its end. Never throws: what went wrong is in the result. The program is killed at the time limit.
 * @param {string} command
 * @param {string[]} args
 * @param {object} options
 * @param {number} options.timeoutMs
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {string} [options.label] shows progress under this name
 * @param {() => string} [options.state] what the progress says; the seconds so far where it is left out
 * @returns {Promise<CommandResult>}
 */
export function runCommand(command, args, options) {
  return new Promise((resolve) => {
    const started = Date.now()
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let timedOut = false
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS_KEPT)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const progress = options.label === undefined ? undefined : createProgress(options.label)
    const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`
    const ticker =
      progress &&
      setInterval(() => progress.update(options.state ? `${options.state()}, ${seconds()}` : seconds()), 500)
    const limit = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, options.timeoutMs)
    /** @param {string} problem */
    const end = (problem) => {
      clearTimeout(limit)
      clearInterval(ticker)
      progress?.done()
      resolve({ ok: problem === '', output, problem })
    }
    child.once('error', (error) => end(`cannot start ${command}: ${error.message}`))
    child.once('close', (status, signal) => {
      if (timedOut) end(`no end after ${Math.round(options.timeoutMs / 1000)} s`)
      else if (status === 0) end('')
      else end(signal === null ? `exit status ${status}` : `ended by ${signal}`)
    })
  })
}

/**
 * A program's output for a message: all of it where it is short, else how it began and how it ended. npm says first
 * what is wrong and then a page of usage; apt ends with what is wrong.
 * @param {string} output
 */
export function outputLines(output) {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '')
  const half = OUTPUT_LINES_SHOWN / 2
  return lines.length <= OUTPUT_LINES_SHOWN ? lines : [...lines.slice(0, half), '...', ...lines.slice(-half)]
}
