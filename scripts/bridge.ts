import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { createHttpSide } from './bridge/http-side.ts'
import { type BridgeOptions, bridgeUsage, parseBridgeOptions } from './bridge/options.ts'
import { Relay } from './bridge/relay.ts'
import { createSignIn } from './bridge/sign-in.ts'

// millwright-mcp: an endpoint for clients that speak only over standard input and output. The output is the protocol's alone.

const log = (line: string): void => {
  process.stderr.write(`millwright-mcp: ${line}\n`)
}

process.exit(await main())

async function main(): Promise<number> {
  let options: BridgeOptions
  try {
    options = parseBridgeOptions(process.argv.slice(2), process.env)
  } catch (error) {
    process.stderr.write(`Cannot start: ${error instanceof Error ? error.message : error}\n\n${bridgeUsage}\n`)
    return 2
  }
  const { url, credential } = options
  if (credential === null) {
    process.stderr.write(`${bridgeUsage}\n`)
    return 0
  }
  try {
    // npm runs scripts in Millwright's folder and says where the person was.
    const signIn = await createSignIn(credential, url, process.env.INIT_CWD ?? process.cwd())
    const relay = new Relay({
      client: new StdioServerTransport(),
      url,
      createHttp: (watch) => createHttpSide(url, signIn, watch),
      log,
    })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void relay.close())
    process.once('disconnect', () => void relay.close())
    await relay.start()
    log(`passing on to ${url.href}`)
    await relay.ended
    return 0
  } catch (error) {
    log(error instanceof Error ? error.message : String(error))
    return 1
  }
}
