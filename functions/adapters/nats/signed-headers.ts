import { headers, type MsgHdrs } from '@nats-io/nats-core'
import { SIGNATURE_HEADER, type Statement } from '#shared/protocol/signature.ts'
import type { Signer } from '../../ports/signer.ts'

/** Headers that prove a message to be the edge's. */
export async function signedHeaders(signer: Signer, statement: Statement): Promise<MsgHdrs> {
  const signature = await signer.sign(statement)
  const all = headers()
  all.set(SIGNATURE_HEADER, signature)
  return all
}
