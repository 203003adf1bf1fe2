import { createMiniflareEdge } from '#scripts/miniflare-edge.ts'
import { startStack } from '#scripts/stack.ts'

// Holds a stack, tells its parent how to reach it, and runs until it is killed. With a fourth argument, the folder of a
// built edge, the functions run in workerd.

const [repository = '', dataFolder = '', model = '', bundle = ''] = process.argv.slice(2)
const edge = bundle === '' ? {} : { edge: createMiniflareEdge(bundle) }
const stack = await startStack({ repository, dataFolder, model, threads: 1, port: 0, ...edge, log: () => undefined })
process.send?.({ url: stack.url, token: stack.token, pids: stack.pids() })
