import { listenForInterrupts } from '../../interrupts.ts'
import { installFilesystemServer } from './filesystem-server-install.ts'
import { buildLlamaServer } from './llama-server-build.ts'

// npm run bench:peer: brings what the bench compares with and Millwright itself does not need, into .tools/.

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const signal = listenForInterrupts(log)
try {
  await installFilesystemServer(log)
  await buildLlamaServer({ log, signal })
} catch (error) {
  log(signal.aborted ? 'Stopped' : error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
