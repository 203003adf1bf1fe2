import { serveRepository } from './serve-repository.ts'

// npm start: the whole stack on one repository, until Ctrl-C.

process.exitCode = await serveRepository({ command: 'start' })
