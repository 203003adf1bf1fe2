import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { createMiniflareEdge } from '../../miniflare-edge.ts'
import { buildWorkerdBundle, readWorkerdBundle, type WorkerdBundle } from '../../workerd-bundle.ts'
import { wranglerConfig } from '../../wrangler.ts'
import { bareRouteAt } from '../bare-route.ts'
import { type BenchStack, SAMPLE_PATH, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { childrenProcessorMs } from '../processor-time.ts'
import { countInterleaved, interleave, timeInterleaved } from '../rounds.ts'
import { type Row, toRow } from '../row.ts'
import { median, medianRatio, percentile } from '../statistics.ts'
import { createToolCalls } from '../tool-calls.ts'

const CONNECTIONS = 32
const START_MS_MAX = 400
const BUNDLE_MB_MAX = 3
const P50_RATIO_MAX = 1.3
const EMPTY_PROGRAM = 'export default { fetch: () => new Response("ok") }'

/**
 * The edge in workerd: how large it is, what its start costs beside that of a program that does nothing, and
 * `read_file` against a bare route in the same runtime with the same NATS round trip. The bare route is there twice: as
 * a program that has files beside it, as the edge has, whose requests come in through the platform's router for files;
 * and as one without files and router.
 */
export const measureWorkerd: Figure = async ({ quick, signal }) => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-workerd-'))
  const bundles = { edge: join(folder, 'edge'), bare: join(folder, 'bare') }
  try {
    await buildWorkerdBundle(bundles.edge, wranglerConfig)
    await buildWorkerdBundle(bundles.bare, join(import.meta.dirname, '..', 'workerd-bare', 'wrangler.toml'))
    const megabytes = statSync(readWorkerdBundle(bundles.edge).scriptPath).size / 1e6
    return [
      toRow({
        name: 'program for workerd, not minified',
        value: megabytes,
        unit: 'MB',
        target: { of: 'value', max: BUNDLE_MB_MAX },
      }),
      await measureStart(bundles.edge, folder, quick, signal),
      ...(await measureReadFile(bundles, quick, signal)),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Processor time of workerd until the first answer, less that with an empty program: loading ours, and making the app. */
async function measureStart(bundle: string, folder: string, quick: boolean, signal: AbortSignal): Promise<Row> {
  const emptyPath = join(folder, 'empty.mjs')
  writeFileSync(emptyPath, EMPTY_PROGRAM)
  const edge = readWorkerdBundle(bundle)
  const options = {
    edge: {
      ...edge,
      bindings: {
        ...edge.bindings,
        NATS_URL: 'ws://127.0.0.1:9',
        MILLWRIGHT_TOKEN: 'x'.repeat(43),
        MILLWRIGHT_SIGNING_KEY: 'A'.repeat(43),
      },
    },
    // All that surrounds a program is the same.
    empty: { ...edge, durableObjects: {}, modulesRoot: folder, scriptPath: emptyPath },
  }
  const results = await interleave(['edge', 'empty'], quick ? 3 : 15, signal, async (name) => {
    const miniflare = new Miniflare({ ...options[name], cf: false })
    try {
      const response = await fetch(new URL('/orchestrator', await miniflare.ready))
      await response.arrayBuffer()
      if (response.status !== 200) throw new Error(`workerd answered ${response.status}`)
      return childrenProcessorMs('workerd')
    } finally {
      await miniflare.dispose()
    }
  })
  const extra = results.edge.map((ms, round) => ms - (results.empty[round] ?? 0))
  return toRow({
    name: 'start-up of the program in workerd, processor time',
    value: median(extra),
    unit: 'ms',
    comparedWith: { name: 'an empty program, all in all', ratio: medianRatio(results.edge, results.empty) },
    target: { of: 'value', max: START_MS_MAX },
  })
}

async function measureReadFile(
  bundles: { readonly edge: string; readonly bare: string },
  quick: boolean,
  signal: AbortSignal,
): Promise<Row[]> {
  const world = await startBenchStack({ signal, edge: createMiniflareEdge(bundles.edge) })
  const client = createKeepAliveClient(CONNECTIONS)
  try {
    const bundle = readWorkerdBundle(bundles.bare)
    const { assets: _assets, ...withoutFiles } = bundle
    const programs = { bare: createBareProgram(bundle, world), unrouted: createBareProgram(withoutFiles, world) }
    try {
      const tools = createToolCalls(client, world.stack)
      const args = { path: SAMPLE_PATH }
      const contenders = {
        bare: bareRouteAt(await programs.bare.ready)(client, 'read_file', args),
        unrouted: bareRouteAt(await programs.unrouted.ready)(client, 'read_file', args),
        modern: tools.timed('read_file', () => args, '2026-07-28'),
        legacy: tools.timed('read_file', () => args, '2025-11-25'),
      }
      const latencyPlan = quick
        ? { warmUp: 200, rounds: 6, callsPerRound: 50 }
        : { warmUp: 1000, rounds: 24, callsPerRound: 100 }
      const times = await timeInterleaved(contenders, latencyPlan, signal)
      const ratePlan = { rounds: quick ? 6 : 12, callsPerRound: quick ? 250 : 600, connections: CONNECTIONS }
      const rates = await countInterleaved(contenders, ratePlan, signal)
      const p50 = (rounds: number[][]) => rounds.map((round) => percentile(round, 0.5))
      const names = { bare: 'bare route in workerd', unrouted: 'bare route in workerd without files' } as const
      const eras = { modern: '2026-07-28', legacy: '2025-11-25' } as const
      return [
        toRow({ name: `${names.bare}, p50`, value: percentile(times.bare.flat(), 0.5), unit: 'ms' }),
        toRow({ name: `${names.bare}, ${CONNECTIONS} connections`, value: median(rates.bare), unit: 'calls/s' }),
        toRow({
          name: `${names.unrouted}, p50`,
          value: percentile(times.unrouted.flat(), 0.5),
          unit: 'ms',
          comparedWith: { name: names.bare, ratio: medianRatio(p50(times.unrouted), p50(times.bare)) },
        }),
        ...(['modern', 'legacy'] as const).flatMap((era) =>
          (['bare', 'unrouted'] as const).flatMap((against) => [
            toRow({
              name: `read_file in workerd ${eras[era]}, p50`,
              value: percentile(times[era].flat(), 0.5),
              unit: 'ms',
              comparedWith: { name: names[against], ratio: medianRatio(p50(times[era]), p50(times[against])) },
              ...(era === 'modern' ? { target: { of: 'ratio', max: P50_RATIO_MAX } as const } : {}),
            }),
            toRow({
              name: `read_file in workerd ${eras[era]}, ${CONNECTIONS} connections`,
              value: median(rates[era]),
              unit: 'calls/s',
              comparedWith: { name: names[against], ratio: medianRatio(rates[era], rates[against]) },
            }),
          ]),
        ),
      ]
    } finally {
      await Promise.all(Object.values(programs).map((program) => program.dispose()))
    }
  } finally {
    client.close()
    await world.stop()
  }
}

function createBareProgram(bundle: WorkerdBundle, world: BenchStack): Miniflare {
  return new Miniflare({
    ...bundle,
    bindings: {
      NATS_URL: world.edgeNatsWebSocketUrl(),
      MILLWRIGHT_WORKSPACE: world.stack.workspace,
      MILLWRIGHT_TOKEN: 'x'.repeat(43),
      MILLWRIGHT_SIGNING_KEY: readOrCreateSigningKeys(join(world.stack.dataFolder, 'edge', 'signing-key'))[0],
      MILLWRIGHT_HOSTNAMES: 'localhost',
    },
    cf: false,
  })
}
