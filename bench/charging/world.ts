import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createCharging } from '#charging'
import type { Charging } from '#charging'
import { manualClock } from '#platform/clock'
import type { ManualClock } from '#platform/clock'
import { createLog } from '#platform/log'
import { migrate, openDatabase, startEmbeddedPostgres } from '#platform/postgres'
import { START_MS } from '../../test/sample-usage.ts'
import { cpuMicroseconds, endedCpuMicroseconds, processTree } from '../rig/measure.ts'

export const JOURNAL = 'journal-of-bench'

export interface World extends AsyncDisposable {
  readonly charging: Charging
  readonly clock: ManualClock
  /** CPU that PostgreSQL has used so far, all its processes, in microseconds. */
  postgresCpu(): number
  /** The number of the next record, so that no two sections make the same one. */
  next: number
}

/** Charging on a PostgreSQL of its own, durable as in production. */
export async function openWorld(): Promise<World> {
  await using undo = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-bench-'))
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const server = await startEmbeddedPostgres({ dataDir: folder, log: createLog({ name: 'bench', level: 'error' }) })
  undo.defer(() => server.stop())
  const database = openDatabase(server.url, { max: 24 })
  undo.use(database)
  await migrate(database, resolve(import.meta.dirname, '../../migrations'))
  const clock = manualClock(START_MS)
  const charging = createCharging({ database, clock })
  const all = undo.move()
  return {
    charging,
    clock,
    postgresCpu: () => cpuMicroseconds(processTree(server.pid ?? 0)) + endedCpuMicroseconds(server.pid ?? 0),
    next: 0,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

export interface Crowd {
  readonly gateways: readonly string[]
  readonly tenants: readonly string[]
  slice(gateway: string, tenant: string): string
}

/** Tenants with money, and gateways that hold a slice of each. */
export async function openCrowd(
  { charging }: World,
  { name, tenants, gateways }: { name: string; tenants: number; gateways: number },
): Promise<Crowd> {
  const slices = new Map<string, string>()
  const crowd = {
    tenants: Array.from({ length: tenants }, (_, n) => `${name}-${n}`),
    gateways: Array.from({ length: gateways }, (_, n) => `gw-${name}-${n}`),
  }
  for (const tenant of crowd.tenants)
    await charging.topup({ tenant, amountPico: 10n ** 18n, reference: `pay-${tenant}` })
  for (const gateway of crowd.gateways) {
    const { epoch } = await charging.register({ gateway, journal: JOURNAL })
    for (const [index, tenant] of crowd.tenants.entries()) {
      const ask = { gateway, epoch, seq: index + 1, bucket: `wallet:${tenant}`, min: '1', want: `${10n ** 17n}` }
      const reply = await charging.grant(ask)
      if (reply.outcome !== 'granted') throw new Error(JSON.stringify(reply))
      slices.set(`${gateway} ${tenant}`, reply.slice.id)
    }
  }
  return { ...crowd, slice: (gateway, tenant) => slices.get(`${gateway} ${tenant}`) ?? '' }
}
