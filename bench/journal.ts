/**
 * Compares ways to make a usage record durable: our journal against lmdb. Prints one table.
 * Run: node bench/journal.ts [directory on the disk to measure]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { open as openLmdb } from 'lmdb'
import { openJournal } from '#platform/journal'

interface Contestant {
  readonly name: string
  open(dir: string): Promise<{ append(payload: string, durable: () => void): void; close(): Promise<void> }>
}

const contestants: readonly Contestant[] = [
  {
    name: 'own journal, O_DSYNC',
    async open(dir) {
      const journal = await openJournal(dir)
      let acknowledged = 0
      return {
        append(payload, durable) {
          const seq = journal.append(payload, (error) => {
            if (error) throw error
            // As in production: shipped records are given back in large steps.
            if (++acknowledged % 500 === 0) journal.discardBefore(seq)
            durable()
          })
        },
        close: async () => journal[Symbol.asyncDispose](),
      }
    },
  },
  {
    name: 'lmdb, overlappingSync:false',
    async open(dir) {
      const database = openLmdb<string, number>({
        path: dir,
        overlappingSync: false,
        encoding: 'string',
        keyEncoding: 'uint32',
      })
      let seq = 0
      return {
        append(payload, durable) {
          void database.put(seq++, payload).then(durable)
        },
        close: async () => database.close(),
      }
    },
  },
]

const payload = JSON.stringify({ t: 'record', text: 'x'.repeat(1_000) })

interface Result {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly cpuUs: number
}

/** Keeps `inFlight` records under way: closed loop. */
async function closedLoop(contestant: Contestant, dir: string, inFlight: number, total: number): Promise<Result> {
  const log = await contestant.open(dir)
  const latencies: number[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  await new Promise<void>((done) => {
    let sent = 0
    const one = (): void => {
      if (sent++ >= total) return
      const at = performance.now()
      log.append(payload, () => {
        latencies.push(performance.now() - at)
        if (latencies.length === total) done()
        else one()
      })
    }
    for (let i = 0; i < inFlight; i++) one()
  })
  const result = summary(latencies, performance.now() - start, process.cpuUsage(cpu))
  await log.close()
  return result
}

/** Records arrive at a fixed rate whatever the log does: open loop, latency counted from when each was due. */
async function openLoop(contestant: Contestant, dir: string, perSecond: number, total: number): Promise<Result> {
  const log = await contestant.open(dir)
  const latencies: number[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  await new Promise<void>((done) => {
    let sent = 0
    const tick = (): void => {
      const now = performance.now()
      for (; sent < total && start + (sent * 1000) / perSecond <= now; sent++) {
        log.append(payload, () => {
          latencies.push(performance.now() - now)
          if (latencies.length === total) done()
        })
      }
      if (sent < total) setImmediate(tick)
    }
    tick()
  })
  const result = summary(latencies, performance.now() - start, process.cpuUsage(cpu))
  await log.close()
  return { ...result, cpuUs: Number.NaN }
}

function summary(latencies: number[], wallMs: number, cpu: NodeJS.CpuUsage): Result {
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  const count = latencies.length
  return { perSecond: (count / wallMs) * 1000, p50: at(0.5), p99: at(0.99), cpuUs: (cpu.user + cpu.system) / count }
}

const cases = [
  { name: '1 in flight', run: (c: Contestant, dir: string) => closedLoop(c, dir, 1, 5_000) },
  { name: '16 in flight', run: (c: Contestant, dir: string) => closedLoop(c, dir, 16, 50_000) },
  { name: '256 in flight', run: (c: Contestant, dir: string) => closedLoop(c, dir, 256, 200_000) },
  { name: '1,000/s arriving', run: (c: Contestant, dir: string) => openLoop(c, dir, 1_000, 5_000) },
]

const base = resolve(process.argv[2] ?? 'data')
mkdirSync(base, { recursive: true })
const rounds = 3
console.log('| load | log | records/s | p50 ms | p99 ms | CPU µs/record |\n|---|---|--:|--:|--:|--:|')
for (const { name, run } of cases) {
  const results = new Map<string, Result[]>()
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      const dir = mkdtempSync(join(base, 'bench-journal-'))
      const result = await run(contestant, dir)
      rmSync(dir, { recursive: true })
      results.set(contestant.name, [...(results.get(contestant.name) ?? []), result])
    }
  }
  for (const [contestant, all] of results) {
    const median = (pick: (result: Result) => number): number =>
      all.map(pick).sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN
    const cpu = median((r) => r.cpuUs)
    console.log(
      `| ${name} | ${contestant} | ${Math.round(median((r) => r.perSecond)).toLocaleString('en')} | ${median((r) => r.p50).toFixed(2)} | ` +
        `${median((r) => r.p99).toFixed(2)} | ${Number.isNaN(cpu) ? '–' : cpu.toFixed(1)} |`,
    )
  }
}
