/** Where the set-up speaks: standard error, so that the output of the command that follows stays its own. */

/** @param {string} line */
export function say(line) {
  process.stderr.write(`millwright: ${line}\n`)
}

// On a terminal one line is rewritten; in a log a line now and then must do.
const TERMINAL_INTERVAL_MS = 200
const LOG_INTERVAL_MS = 10_000

/**
 * Shows that something long is going on. `update` may be called as often as one likes; `done` ends it and leaves no
 * half line behind.
 * @param {string} label
 * @param {NodeJS.WriteStream} [stream]
 */
export function createProgress(label, stream = process.stderr) {
  const interval = stream.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS
  // A log hears nothing of what ends within the first interval.
  let shownAt = stream.isTTY ? 0 : Date.now()
  let drawn = false
  return {
    /** @param {string} state */
    update(state) {
      const now = Date.now()
      if (now - shownAt < interval) return
      shownAt = now
      if (!stream.isTTY) {
        stream.write(`millwright: ${label}: ${state}\n`)
        return
      }
      drawn = true
      stream.write(`\r\x1b[Kmillwright: ${label}: ${state}`)
    },
    done() {
      if (drawn) stream.write('\r\x1b[K')
    },
  }
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
