import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import type { Kit } from './kits.ts'

/** The release whose results we state; it is fetched when the harness runs and is no package of ours. */
const NEWMAN = 'newman@6.2.2'

export interface KitResult {
  readonly api: string
  readonly requests: number
  readonly assertions: number
  /** One line each. */
  readonly failures: readonly string[]
}

const Report = z.object({
  run: z.object({
    stats: z.object({ requests: z.object({ total: z.int() }), assertions: z.object({ total: z.int() }) }),
    failures: z.array(
      z.object({ error: z.object({ message: z.string() }), source: z.object({ name: z.string() }).optional() }),
    ),
  }),
})

const Config = z.object({
  payloads: z.record(z.string(), z.object({ POST: z.object({ payload: z.unknown() }) })),
})

interface Request {
  request: { header: unknown; body?: { raw: string } }
}
type Collection = { item: { item: Request[] }[] }

/** The collection's path in a folder of checked-out kits. Throws if it is not there, or there twice. */
export function findCollection(folder: string, { collection }: Kit): string {
  const found = globSync(`**/${collection}`, {
    cwd: folder,
    exclude: (name) => name === 'node_modules' || name === '.git',
  })
  const [path] = found
  if (path === undefined || found.length > 1) throw new Error(`${found.length} files ${collection} in ${folder}`)
  return join(folder, path)
}

/** Runs a kit as its own program would, at a base URL: headers and bodies put into the collection, nothing else changed. */
export async function runKit(
  kit: Kit,
  at: {
    readonly kits: string
    readonly scratch: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly payloads: Readonly<Record<string, unknown>>
  },
): Promise<KitResult> {
  const source = findCollection(at.kits, kit)
  const collection = JSON.parse(readFileSync(source, 'utf8')) as Collection
  const config = Config.parse(JSON.parse(readFileSync(join(dirname(source), '../config.json'), 'utf8')))
  const header = Object.entries(at.headers).map(([key, value]) => ({ key, value }))
  for (const folder of collection.item) for (const { request } of folder.item) request.header = header
  for (const [resource, index] of Object.entries(kit.posts)) {
    const body = collection.item[index]?.item[0]?.request.body
    if (!body) throw new Error(`${kit.collection}: folder ${index} does not begin with a POST`)
    body.raw = JSON.stringify(at.payloads[resource] ?? config.payloads[resource]?.POST.payload)
  }
  const prepared = join(at.scratch, kit.collection)
  const report = join(at.scratch, `report-${kit.collection}`)
  writeFileSync(prepared, JSON.stringify(collection))
  await newman([
    'run',
    prepared,
    '--env-var',
    `${kit.variable}=${at.url}${kit.base}`,
    '--reporters',
    'json',
    '--reporter-json-export',
    report,
    '--suppress-exit-code',
  ])
  const { run } = Report.parse(JSON.parse(readFileSync(report, 'utf8')))
  return {
    api: kit.api,
    requests: run.stats.requests.total,
    assertions: run.stats.assertions.total,
    failures: run.failures.map(({ error, source: at }) => `${at?.name ?? 'collection'}: ${error.message}`),
  }
}

async function newman(args: readonly string[]): Promise<void> {
  const child = spawn('npm', ['exec', '--yes', `--package=${NEWMAN}`, '--', 'newman', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number | null]>])
  if (code !== 0) throw new Error(`newman ended with ${String(code)}: ${errors.slice(-2_000)}`)
}
