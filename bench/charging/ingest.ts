import type { UsageRecord } from '#contract'
import { sampleRecord } from '../../test/sample-usage.ts'
import { quantile } from '../rig/measure.ts'
import { count, ms, us } from './row.ts'
import type { Row } from './row.ts'
import { openCrowd } from './world.ts'
import type { Crowd, World } from './world.ts'

/** As gateways ship them. */
const BATCH = 500
/** Records are made this many at a time, outside of what is measured, so that ten million need no more memory than these. */
const CHUNK = 20_000

export interface Ingested {
  readonly records: number
  readonly seconds: number
  readonly nodeUs: number
  readonly postgresUs: number
  readonly batchMs: readonly number[]
}

/** Takes records in on one connection per gateway. `beat` hears how many there are so far. */
export async function ingestAll(
  world: World,
  crowd: Crowd,
  records: number,
  beat: (done: number) => void = () => {},
): Promise<Ingested> {
  const batchMs: number[] = []
  let [done, seconds, nodeUs] = [0, 0, 0]
  const postgresBefore = world.postgresCpu()
  while (done < records) {
    const batches = makeBatches(world, crowd, Math.min(CHUNK, records - done))
    const cpu = process.cpuUsage()
    const started = performance.now()
    await Promise.all(batches.map((own, index) => deliver(world, crowd.gateways[index] ?? '', own, batchMs)))
    seconds += (performance.now() - started) / 1000
    const used = process.cpuUsage(cpu)
    nodeUs += used.user + used.system
    done += batches.flat(2).length
    beat(done)
  }
  batchMs.sort((a, b) => a - b)
  return { records: done, seconds, nodeUs, postgresUs: world.postgresCpu() - postgresBefore, batchMs }
}

/** By gateway. */
function makeBatches(world: World, { gateways, tenants, slice }: Crowd, records: number): UsageRecord[][][] {
  const batches: UsageRecord[][][] = gateways.map(() => [])
  for (let made = 0, turn = 0; made < records; turn++) {
    const index = turn % gateways.length
    const gateway = gateways[index] ?? ''
    const batch = Array.from({ length: Math.min(BATCH, records - made) }, () => {
      const n = world.next++
      const tenant = tenants[(n * 7) % tenants.length] ?? ''
      return sampleRecord(n, { gateway, tenant, slice: slice(gateway, tenant) })
    })
    made += batch.length
    batches[index]?.push(batch)
  }
  return batches
}

async function deliver(
  { charging }: World,
  gateway: string,
  batches: readonly UsageRecord[][],
  batchMs: number[],
): Promise<void> {
  for (const records of batches) {
    const at = performance.now()
    const reply = await charging.ingest({ gateway, records })
    if (reply.accepted !== records.length) throw new Error(JSON.stringify(reply).slice(0, 500))
    batchMs.push(performance.now() - at)
  }
}

export async function ingestSection(world: World, records: number): Promise<Row[]> {
  await ingestAll(world, await openCrowd(world, { name: 'warm', tenants: 20, gateways: 2 }), BATCH * 20)
  const rows: Row[] = []
  for (const [what, tenants, gateways, share, isTarget] of [
    ['20 tenants, 3 gateways', 20, 3, 1, true],
    ['20 tenants, 12 gateways', 20, 12, 0.5, true],
    ['one hot wallet, 12 gateways', 1, 12, 0.25, true],
    ['1,000 tenants, 3 gateways', 1000, 3, 0.25, false],
  ] as const) {
    const crowd = await openCrowd(world, { name: `t${tenants}-${gateways}`, tenants, gateways })
    const result = await ingestAll(world, crowd, Math.ceil((records * share) / BATCH) * BATCH)
    rows.push(...rowsOf(what, result, isTarget))
  }
  return rows
}

function rowsOf(what: string, { records, seconds, nodeUs, postgresUs, batchMs }: Ingested, isTarget: boolean): Row[] {
  const [node, postgres] = [nodeUs / records, postgresUs / records]
  const perSecond = records / seconds
  const latency = `batch p50 ${ms(quantile(batchMs, 0.5))}, p99 ${ms(quantile(batchMs, 0.99))}`
  return [
    {
      what: `ingest, ${what}: records/s by the clock (${count(records)} records)`,
      measured: `${count(perSecond)}; ${latency}`,
      ...(isTarget ? { target: '≥ 20,000', reached: perSecond >= 20_000 } : {}),
    },
    {
      what: `ingest, ${what}: CPU per record`,
      measured: `${us(node)} Node + ${us(postgres)} PostgreSQL = ${count(2e6 / (node + postgres))}/s of two whole cores`,
      ...(isTarget ? { target: '≤ 100 µs', reached: node + postgres <= 100 } : {}),
    },
  ]
}
