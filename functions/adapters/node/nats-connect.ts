import { connect, type NatsConnection } from '@nats-io/transport-node'
import { edgeConnection, type NatsServer } from '../nats/edge-connection.ts'

/** Connects over TCP or rejects. */
export const connectNats = (server: NatsServer): Promise<NatsConnection> => connect(edgeConnection(server))
