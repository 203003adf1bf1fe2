import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import * as v from 'valibot'
import { readFileIfAny, writePrivateFile } from '../private-files.ts'

const NatsPlace = v.object({
  /** Where this machine reaches it. */
  host: v.string(),
  /** Whether only this machine does. */
  loopback: v.boolean(),
  port: v.number(),
  web_socket_port: v.nullable(v.number()),
  secure: v.boolean(),
  authority_file: v.nullable(v.string()),
})
export type NatsPlace = v.InferOutput<typeof NatsPlace>

const placeFile = (natsFolder: string): string => join(natsFolder, 'place.json')

/** Written when the server answers, for whoever enrolls machines. */
export const writeNatsPlace = (natsFolder: string, place: NatsPlace): void =>
  writePrivateFile(placeFile(natsFolder), `${JSON.stringify(place)}\n`)

/** Throws an Error for a person where no server has run on this folder. */
export function readNatsPlace(natsFolder: string): NatsPlace {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), NatsPlace), readFileIfAny(placeFile(natsFolder)))
  if (!parsed.success) {
    throw new Error(
      `Cannot find NATS in ${natsFolder}: start it first (npm run nats, npm start), or name its data folder with --nats-data`,
    )
  }
  return parsed.output
}

const Admin = v.pipe(v.string(), v.parseJson(), v.object({ admin: v.string() }))

/** With the operator's name and password in it. */
export function adminUrl(natsFolder: string, { host, port, secure }: NatsPlace): string {
  const { admin } = v.parse(Admin, readFileIfAny(join(natsFolder, 'passwords.json')))
  return `${secure ? 'tls' : 'nats'}://admin:${encodeURIComponent(admin)}@${isIPv6(host) ? `[${host}]` : host}:${port}`
}
