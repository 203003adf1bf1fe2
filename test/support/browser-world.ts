import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { parseKeysOptions } from '#scripts/keys/options.ts'
import { runKeys } from '#scripts/keys/run-keys.ts'
import { type Stack, startStack } from '#scripts/stack.ts'
import { connectClient, type TestClient } from './mcp.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

/** The whole system on a repository of its own, and a person whose key it knows. Independent of any test runner. */
export interface BrowserWorld {
  readonly repository: TempRepository
  readonly stack: Stack
  /** With the owner's token. */
  readonly client: TestClient
  /** Of Anna, who may do everything. */
  readonly privateKey: string
  /** The file of it. */
  readonly privateKeyFile: string
  /** Stops all processes and removes all files. */
  stop(): Promise<void>
}

export interface BrowserWorldOptions {
  readonly files?: Record<string, string>
  /** As `--model` says it; the demo model where left out. */
  readonly model?: string | readonly string[]
  readonly threads?: number
  /** Where downloaded models are kept; in the data folder where left out. */
  readonly modelsFolder?: string
}

/** Starts it on free ports and resolves when the endpoint answers; the model loads behind it. */
export async function startBrowserWorld(options: BrowserWorldOptions = {}): Promise<BrowserWorld> {
  const repository = await createTempRepository(options.files)
  try {
    const stack = await startStack({
      repository: repository.root,
      dataFolder: join(repository.folder, 'data'),
      model: options.model ?? 'demo',
      threads: options.threads ?? 1,
      ...(options.modelsFolder === undefined ? {} : { modelsFolder: options.modelsFolder }),
      port: 0,
      log: () => undefined,
    })
    try {
      const privateKeyFile = await registerKey(stack, join(repository.folder, 'keys'))
      const client = await connectClient(stack.url, stack.token)
      return {
        repository,
        stack,
        client,
        privateKey: readFileSync(privateKeyFile, 'utf8'),
        privateKeyFile,
        async stop() {
          await client.close().catch(() => undefined)
          await stack.stop()
          repository.remove()
        },
      }
    } catch (error) {
      await stack.stop()
      throw error
    }
  } catch (error) {
    repository.remove()
    throw error
  }
}

/** As `npm run keys` does it beside a running server. Answers the file of the private half. */
async function registerKey(stack: Stack, keysFolder: string): Promise<string> {
  mkdirSync(keysFolder, { mode: 0o700 })
  const sqlite = openSqlite(join(stack.dataFolder, 'edge', 'registry.sqlite'))
  try {
    await runKeys(parseKeysOptions(['--user', 'Anna', '--role', 'admin', '--out', 'anna.pem']), {
      accounts: createSqlAccounts(sqlite, { now: () => Date.now() }),
      workspace: stack.workspace,
      ownName: 'anna',
      resolve: (path) => join(keysFolder, path),
      keysFolder,
      nowMs: Date.now(),
    })
    return join(keysFolder, 'anna.pem')
  } finally {
    sqlite.close()
  }
}

/** An RSA key as PEM (PKCS #8) that no server knows, in a file. */
export function writeStrangersKey(file: string, bits = 2048): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return file
}
