import { Miniflare } from 'miniflare'
import * as v from 'valibot'
import { readWorkerdBundle } from './workerd-bundle.ts'

// The built edge in workerd, on an address and with secrets from the environment. Ready when it answers.

const Environment = v.object({
  EDGE_BUNDLE: v.string(),
  EDGE_STORAGE: v.string(),
  EDGE_HOST: v.string(),
  EDGE_PORT: v.pipe(v.string(), v.transform(Number)),
  NATS_URL: v.string(),
  MILLWRIGHT_TOKEN: v.string(),
  MILLWRIGHT_SIGNING_KEY: v.string(),
  MILLWRIGHT_WORKSPACE: v.string(),
})
const { EDGE_BUNDLE, EDGE_STORAGE, EDGE_HOST, EDGE_PORT, ...set } = v.parse(Environment, process.env)

const bundle = readWorkerdBundle(EDGE_BUNDLE)
const miniflare = new Miniflare({
  ...bundle,
  bindings: { ...bundle.bindings, ...set },
  durableObjectsPersist: EDGE_STORAGE,
  host: EDGE_HOST,
  port: EDGE_PORT,
  cf: false,
})
const url = await miniflare.ready
// As in `npm run edge`: the object that answers the workers' questions comes up when it is asked.
await fetch(new URL('/healthz', url))
const stop = () => void miniflare.dispose().then(() => process.exit(0))
process.once('SIGTERM', stop)
process.once('disconnect', stop)
process.send?.({ type: 'ready' })
