import { serveRepository } from './serve-repository.ts'
import { createWranglerEdge } from './wrangler-edge.ts'

// npm run edge: the whole stack on one repository as `npm start` does it, with the functions in workerd.

process.exitCode = await serveRepository({ command: 'run edge', edge: createWranglerEdge })
