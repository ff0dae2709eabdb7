/**
 * What one request and one streamed event cost the gateway's own thread, in bytes allocated on the JavaScript heap and in CPU of this
 * thread alone. Load and supplier run in processes of their own, so the bytes hardly depend on what else the machine does; compare
 * CPU between versions by running them in turn. Run: node bench/gateway-cost.ts [--rounds N] [--profile FILE.heapprofile|FILE.cpuprofile]
 */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { parseArgs } from 'node:util'
import { getHeapStatistics } from 'node:v8'
import { BENCH_KEY, CHAT_PATH } from './rig/contestant.ts'
import { startGatewayInProcess } from './rig/gateway-in-process.ts'
import { GATEWAY_CORES, pin, startLoad, startMock, stopAll } from './rig/processes.ts'

const REQUESTS = 20_000
const STREAMS = 512
const PACE_MS = 20

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    profile: { type: 'string' },
    only: { type: 'string' },
  },
})

interface Cost {
  readonly bytes: number
  readonly userUs: number
  readonly systemUs: number
  readonly collections: number
}

let collections = 0
const watch = new PerformanceObserver((list) => {
  collections += list.getEntries().length
})
watch.observe({ entryTypes: ['gc'] })

try {
  await main(Number(values.rounds))
} finally {
  await stopAll()
}
process.exit(0)

async function main(rounds: number): Promise<void> {
  const mockPort = await startMock()
  const load = startLoad()
  await using gateway = await startGatewayInProcess(mockPort)
  pin(GATEWAY_CORES, [process.pid])
  const target = { port: gateway.port, path: CHAT_PATH, headers: { Authorization: `Bearer ${BENCH_KEY}` } }

  const whole = () =>
    cost(async () => {
      const job = { kind: 'closed', target, stream: false, paceMs: 0, connections: 64, durationMs: 60_000 } as const
      const report = await load.run({ ...job, requests: REQUESTS })
      if (report.failures > 0) throw new Error(`${report.failures} answers were wrong: ${report.reasons.join('; ')}`)
      return report.requests
    })
  const streams = () =>
    cost(async () => {
      const job = {
        kind: 'closed',
        target,
        stream: true,
        paceMs: PACE_MS,
        connections: 256,
        durationMs: 60_000,
      } as const
      const report = await load.run({ ...job, requests: STREAMS })
      if (report.failures > 0) throw new Error(`${report.failures} streams were wrong: ${report.reasons.join('; ')}`)
      return report.events
    })

  const parts = [
    ['whole answer', whole],
    ['streamed event', streams],
  ] as const
  for (const [name, run] of parts) {
    if (values.only !== undefined && !name.startsWith(values.only)) continue
    await run()
    await run()
    const costs: Cost[] = []
    await profiled(async () => {
      for (let round = 0; round < rounds; round++) costs.push(await run())
    })
    report(name, costs)
  }
  for (let tries = 0; tries < 50 && !gateway.isAtRest(); tries++) await new Promise((done) => setTimeout(done, 100))
  if (!gateway.isAtRest()) throw new Error('holds or records are left over')
}

async function cost(run: () => Promise<number>): Promise<Cost> {
  const before = { ...process.threadCpuUsage(), bytes: getHeapStatistics().total_allocated_bytes, collections }
  const count = await run()
  const { user, system } = process.threadCpuUsage()
  return {
    bytes: (getHeapStatistics().total_allocated_bytes - before.bytes) / count,
    userUs: (user - before.user) / count,
    systemUs: (system - before.system) / count,
    collections: collections - before.collections,
  }
}

/** The least of several rounds is the one that was disturbed least. */
function report(name: string, costs: readonly Cost[]): void {
  const least = (of: (cost: Cost) => number): number => Math.min(...costs.map(of))
  console.info(
    `${name.padEnd(16)} ${least(({ bytes }) => bytes).toFixed(0)} B allocated · ` +
      `${least(({ userUs }) => userUs).toFixed(1)} µs user + ${least(({ systemUs }) => systemUs).toFixed(1)} µs system, ` +
      `together ${least(({ userUs, systemUs }) => userUs + systemUs).toFixed(1)} · ${least((each) => each.collections)} collections`,
  )
}

/** Writes a profile of what `run` allocates or computes, for the browser's developer tools. */
async function profiled(run: () => Promise<void>): Promise<void> {
  const file = values.profile
  if (file === undefined) return run()
  const session = new Session()
  session.connect()
  if (file.endsWith('.cpuprofile')) {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 200 })
    await session.post('Profiler.start')
    await run()
    writeFileSync(file, JSON.stringify((await session.post('Profiler.stop')).profile))
  } else {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: 4096,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
    await run()
    writeFileSync(file, JSON.stringify((await session.post('HeapProfiler.stopSampling')).profile))
  }
  session.disconnect()
}
