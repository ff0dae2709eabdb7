import { START_MS } from '../../test/sample-usage.ts'
import { ingestAll } from './ingest.ts'
import { count, ms } from './row.ts'
import type { Row } from './row.ts'
import { openCrowd } from './world.ts'
import type { Crowd, World } from './world.ts'

/** What dashboards ask, over all that is there and while more comes. */
export async function usageSection(world: World, records: number, beat: (done: number) => void): Promise<Row[]> {
  const crowd = await openCrowd(world, { name: 'dash', tenants: 100, gateways: 3 })
  await ingestAll(world, crowd, records, beat)
  const quiet = await timeAll(world, crowd)
  const sample = Math.min(40_000, Math.max(5000, Math.floor(records / 5)))
  const alone = await ingestAll(world, crowd, sample)
  let isDone = false
  const watched = ingestAll(world, crowd, sample).finally(() => (isDone = true))
  const busy: [string, number][] = []
  // One person looks at one view after the other, a second apart.
  for (let index = 0; !isDone; index++) {
    const views = viewsOf(world, crowd)
    const view = views[index % views.length]
    if (view) busy.push([view[0], await time(view[1])])
    await Promise.race([watched, new Promise((resolve) => setTimeout(resolve, 1000))])
  }
  const beside = await watched
  const cost = (each: typeof alone): number => (each.nodeUs + each.postgresUs) / each.records
  const slowest = quiet.reduce((worst, each) => (each[1] > worst[1] ? each : worst))
  const slowestBusy = busy.reduce((worst, each) => (each[1] > worst[1] ? each : worst), ['none', 0])
  return [
    ...quiet.map(([what, took]): Row => ({
      what: `usage over ${count(world.next)} records: ${what}`,
      measured: ms(took),
    })),
    {
      what: `usage over ${count(world.next)} records: the slowest view`,
      measured: `${ms(slowest[1])} (${slowest[0]}); while ingest runs ${ms(slowestBusy[1])} (${slowestBusy[0]})`,
      target: '< 1 s',
      reached: slowest[1] < 1000 && slowestBusy[1] < 1000,
    },
    {
      what: 'ingest beside somebody who looks at a view a second: CPU per record, all that views cost included',
      measured: `${cost(beside).toFixed(1)} µs, alone ${cost(alone).toFixed(1)} µs`,
    },
    {
      what: 'the same by the clock',
      measured: `${count(beside.records / beside.seconds)}/s, alone ${count(alone.records / alone.seconds)}/s`,
    },
  ]
}

function viewsOf({ charging, clock, next }: World, { tenants }: Crowd): [string, () => Promise<unknown>][] {
  const toMs = START_MS + next * 37 + 60_000
  clock.advance(Math.max(0, toMs - clock.nowMs()))
  const tenant = tenants[0] ?? ''
  return [
    ...(['tenant', 'service', 'supplier', 'key', 'hour'] as const).map((by): [string, () => Promise<unknown>] => [
      `by ${by}`,
      () => charging.usage({ by, fromMs: START_MS - 30_000, toMs }),
    ]),
    ['one tenant by hour', () => charging.usage({ by: 'hour', tenant, toMs })],
    ['live, an hour of minutes', () => charging.live({ minutes: 60 })],
    ['live, a day of minutes', () => charging.live({ minutes: 1440 })],
    ['live of one tenant, a day of minutes', () => charging.live({ minutes: 1440, tenant })],
    ['newest 100 requests', () => charging.requests({ limit: 100 })],
    ['newest 100 requests of one tenant', () => charging.requests({ limit: 100, tenant })],
    ['explain the newest request', async () => charging.explain((await charging.requests({ limit: 1 }))[0]?.id ?? '')],
  ]
}

/** The slower of two times: the first has nothing in memory. */
async function timeAll(world: World, crowd: Crowd): Promise<[string, number][]> {
  const times: [string, number][] = []
  for (const [what, run] of viewsOf(world, crowd)) times.push([what, Math.max(await time(run), await time(run))])
  return times
}

async function time(run: () => Promise<unknown>): Promise<number> {
  const at = performance.now()
  await run()
  return performance.now() - at
}
