import { startStack } from '#scripts/stack.ts'

// Holds a stack, tells its parent how to reach it, and runs until it is killed.

const [repository = '', dataFolder = '', model = ''] = process.argv.slice(2)
const stack = await startStack({ repository, dataFolder, model, threads: 1, port: 0, log: () => undefined })
process.send?.({ url: stack.url, token: stack.token, pids: stack.pids() })
