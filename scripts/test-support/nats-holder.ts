// Holds a nats-server and says its process id, until it is killed: for the test that kills it.
import { startNatsServer } from '../nats-server.ts'

const { HOLDER_BINARY: binary = '', HOLDER_DATA: dataFolder = '' } = process.env
const server = await startNatsServer({ binary, dataFolder })
console.log(server.pid)
