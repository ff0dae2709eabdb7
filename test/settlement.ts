import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCharging } from '#charging'
import type { Charging } from '#charging'
import { StatementMapping } from '#contract'
import type { UsageRecord } from '#contract'
import { chinaMidnightMs } from '#kernel'
import { manualClock } from '#platform/clock'
import type { Database } from '#platform/postgres'
import { createSettlement } from '#settlement'
import type { Settlement, SettlementDeps } from '#settlement'
import { YUAN, openSlice } from './charging.ts'
import { sampleRecord } from './sample-usage.ts'

export const NOVEMBER = { key: '2026-11', fromMs: chinaMidnightMs('2026-11-01'), toMs: chinaMidnightMs('2026-12-01') }
/** When statements for November come. */
export const DECEMBER_MS = chinaMidnightMs('2026-12-05')

/** One line per request, exact, in yuan without tax. */
export const BY_REQUEST = StatementMapping.parse({
  format: 'csv',
  granularity: 'request',
  columns: { request: 'id', model: 'model', input: 'in', cached: 'cached', output: 'out', amount: 'net', tax: 'vat' },
  tokenUnit: 'token',
  amountUnit: 'yuan',
  amountIncludesTax: false,
  taxPercent: 6,
})

export const PAYEE = {
  supplier: 'vllm',
  name: '青信计算有限公司',
  uscc: null,
  bank: '中国银行银川分行',
  bankAccount: '6217000012345678',
  taxPercent: 6,
}

export interface World {
  readonly charging: Charging
  readonly settlement: Settlement
  readonly clock: ReturnType<typeof manualClock>
  readonly folder: string
}

/** Rooms over a database, on the fifth of December, with a supplier `vllm`. */
export async function openWorld(
  database: Database,
  stack: AsyncDisposableStack,
  deps: Partial<SettlementDeps> = {},
): Promise<World> {
  const clock = manualClock(DECEMBER_MS)
  const charging = createCharging({ database, clock })
  const settlement = createSettlement({
    ...{ database, clock },
    termsOf: async () => undefined,
    penaltiesOf: async () => [],
    usageOf: async ({ fromMs, toMs }) =>
      (await charging.usage({ by: 'supplier', fromMs, toMs })).map(({ group, requests, buyPico }) => ({
        ...{ supplier: group, requests, accruedPico: BigInt(buyPico) },
      })),
    knownSupplier: async (supplier) => supplier === 'vllm' || supplier === 'embedded',
    ...deps,
  })
  const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-statements-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  return { charging, settlement, clock, folder }
}

/** `count` requests of one supplier, spread over a month, ingested. */
export async function useNovember(
  { charging }: Pick<World, 'charging'>,
  {
    count,
    supplier = 'vllm',
    change = () => ({}),
  }: {
    count: number
    supplier?: string
    change?: (n: number) => Partial<UsageRecord>
  },
): Promise<UsageRecord[]> {
  const slice = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: 100_000n * YUAN })
  const gapMs = Math.floor((NOVEMBER.toMs - NOVEMBER.fromMs) / (count + 1))
  const records = Array.from({ length: count }, (_, n) => {
    const completedAtMs = NOVEMBER.fromMs + (n + 1) * gapMs
    const model = n % 3 === 0 ? 'glm-5' : 'qwen-max'
    return sampleRecord(n, {
      ...slice,
      supplier,
      model,
      acceptedAtMs: completedAtMs - 900,
      completedAtMs,
      ...change(n),
    })
  })
  for (let from = 0; from < records.length; from += 500)
    await charging.ingest({ gateway: 'gw-0', records: records.slice(from, from + 500) })
  return records
}

/** What an honest supplier's file says of a request. */
export interface Told {
  readonly id: string
  readonly model: string
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly netPico: bigint
  readonly taxPico: bigint
}

export function toldOf({ id, model, tokens, buyPico }: UsageRecord): Told {
  const netPico = BigInt(buyPico)
  return {
    ...{ id, model, netPico, taxPico: roundHalfUp(netPico * 6n, 100n) },
    input: tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead,
    cached: tokens.cacheRead,
    output: tokens.output + tokens.reasoning,
  }
}

function roundHalfUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator * 2n + denominator) / (denominator * 2n)
}

export const CSV_HEAD = 'id,model,in,cached,out,net,vat\n'

export function csvLine({ id, model, input, cached, output, netPico, taxPico }: Told): string {
  return `${id},${model},${input},${cached},${output},${yuan(netPico)},${yuan(taxPico)}\n`
}

export function yuan(pico: bigint): string {
  const digits = pico.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`
}

export async function fileOf(
  { folder }: Pick<World, 'folder'>,
  name: string,
  content: string | Buffer,
): Promise<{ path: string; bytes: number }> {
  const path = join(folder, name)
  await writeFile(path, content)
  return { path, bytes: Buffer.byteLength(content) }
}

/** Maps, imports and matches a statement for November. */
export async function importAndMatch(world: World, content: string, name = 'november.csv') {
  const { settlement } = world
  await settlement.setMapping('vllm', BY_REQUEST, 'clerk')
  const source = await fileOf(world, name, content)
  const { statement } = await settlement.importStatement({
    ...{ supplier: 'vllm', period: NOVEMBER.key, fileName: name, source, by: 'clerk' },
  })
  return settlement.match({ id: statement.id, by: 'clerk' })
}
