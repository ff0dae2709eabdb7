import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { direct, type Contestant } from './rig/contestant.ts'
import { startTokenFactory } from './rig/factory.ts'
import { startFloor } from './rig/floor.ts'
import { startNginx } from './rig/nginx.ts'
import { startPortkey } from './rig/portkey.ts'
import { startLoad, startMock, stopAll, type Load } from './rig/processes.ts'
import {
  fastStreams,
  latency,
  longRun,
  openStreams,
  pacedStreams,
  wholeAnswers,
  type Sample,
  type Scale,
} from './rig/sections.ts'
import { table } from './rig/table.ts'
import { crossCheck } from './rig/wrk.ts'
import { median } from './rig/measure.ts'

const HELP = `npm run bench -- [options]     the gateway beside nginx and Portkey, in one interleaved run
  --quick                 a short run: one round, small numbers
  --section a,b           only these: whole, stream, latency, memory, flat, workers (default: all); wrk cross-checks the rig
  --only a,b              only contestants whose name contains one of these (direct and nginx are the yardsticks);
                          floor, only when named: the cheapest relay that public Node API allows, without and with a durable record
  --rounds N              interleaved rounds (default 4)
  --streams N             open streams in the memory section (default 5000)
  --requests N            requests of the flat-memory run (default 200000)`

const SECTIONS = ['whole', 'stream', 'latency', 'memory', 'flat', 'workers'] as const

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    section: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    streams: { type: 'string' },
    requests: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const FULL: Scale = {
  rounds: 4,
  wholeMs: 4000,
  streamMs: 4000,
  latencyMs: 6000,
  openStreams: 5000,
  flatRequests: 200_000,
}
const QUICK: Scale = {
  rounds: 1,
  wholeMs: 2000,
  streamMs: 2500,
  latencyMs: 2000,
  openStreams: 1000,
  flatRequests: 20_000,
}

function scale(): Scale {
  const base = options.quick ? QUICK : FULL
  const number = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : Number(text)
  return {
    ...base,
    rounds: number(options.rounds, base.rounds),
    openStreams: number(options.streams, base.openStreams),
    flatRequests: number(options.requests, base.flatRequests),
  }
}

const wanted = new Set<string>(options.section === undefined ? SECTIONS : options.section.split(','))

/** One round of one contestant: every wanted section once. */
async function round(contestant: Contestant, load: Load, sizes: Scale): Promise<Sample> {
  const sample: Sample = {}
  if (wanted.has('whole')) Object.assign(sample, await wholeAnswers(contestant, load, sizes.wholeMs))
  if (wanted.has('stream')) Object.assign(sample, await pacedStreams(contestant, load, sizes.streamMs))
  if (wanted.has('stream')) Object.assign(sample, await fastStreams(contestant, load, sizes.streamMs / 2))
  if (wanted.has('latency')) Object.assign(sample, await latency(contestant, load, sizes.latencyMs))
  return sample
}

async function warm(contestant: Contestant, load: Load): Promise<void> {
  await wholeAnswers(contestant, load, 1500)
  await pacedStreams(contestant, load, 1500)
}

/** Starts who takes part; whoever cannot be had here is named in the result. */
async function enter(started: Contestant[], mockPort: number, scratch: string): Promise<readonly string[]> {
  const cache = fileURLToPath(new URL('../.cache/bench-peers', import.meta.url))
  const missing: string[] = []
  const add = async (name: string, start: () => Promise<Contestant | undefined>): Promise<void> => {
    const names = options.only?.split(',')
    if (names !== undefined && !names.some((part) => name.includes(part))) return
    const contestant = await start()
    if (contestant === undefined) missing.push(name)
    else started.push(contestant)
  }
  started.push(direct(mockPort))
  await add('factory', () => startTokenFactory(mockPort, { workers: 1 }))
  await add('nginx', () => startNginx(mockPort, scratch))
  await add('portkey', () => startPortkey(mockPort, cache))
  if (options.only === undefined) return missing
  await add('floor', () => startFloor(mockPort, scratch, { durable: false }))
  await add('floor', () => startFloor(mockPort, scratch, { durable: true }))
  return missing
}

async function main(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'tokenfactory-bench-'))
  const started: Contestant[] = []
  try {
    const sizes = scale()
    const mockPort = await startMock()
    const load = startLoad()
    const missing = await enter(started, mockPort, scratch)
    console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`)
    const entries = started.map((contestant) => ({ contestant, name: contestant.name, samples: [] as Sample[] }))
    const gateways = entries.filter(({ contestant }) => contestant.gatewayPids().length > 0)
    for (const { contestant, samples } of wanted.has('memory') ? gateways : []) {
      const streams = contestant.slow ? sizes.openStreams / 4 : sizes.openStreams
      samples.push(await openStreams(contestant, load, streams))
      progress(`${streams} open streams`, contestant)
    }
    for (const { contestant } of entries) await warm(contestant, load)
    for (let turn = 0; turn < sizes.rounds; turn++) {
      for (const { contestant, samples } of entries) {
        samples.push(await round(contestant, load, sizes))
        progress(`round ${turn + 1} of ${sizes.rounds}`, contestant)
      }
    }
    for (const { contestant, samples } of wanted.has('flat') ? gateways : []) {
      const requests = contestant.slow ? sizes.flatRequests / 20 : sizes.flatRequests
      const { mib, peakBacklog } = await longRun(contestant, load, requests)
      const memory = mib.map((each) => each.toFixed(0)).join(' ')
      progress(`memory over ${requests} requests: ${memory} MiB; largest backlog ${peakBacklog} records`, contestant)
      samples.push({ growthMib: growth(mib) })
    }
    const own = entries.find(({ name }) => name === 'token factory')
    if (wanted.has('workers') && own) own.samples.push(await twoWorkers(own.contestant, started, mockPort, load, sizes))
    if (wanted.has('wrk')) await printCrossCheck(entries, load, scratch)
    console.log(`\n${table(entries, missing)}\n`)
    if (wanted.has('workers') && !HAS_ROOM_FOR_TWO) console.log(WORKERS_NOTE)
  } finally {
    await Promise.all(started.map((contestant) => contestant.stop()))
    await stopAll()
    rmSync(scratch, { recursive: true, force: true })
  }
}

function progress(what: string, { name }: Contestant): void {
  console.log(`  ${name}: ${what}`)
}

/** Memory at the end minus memory after three tenths, when caches and compiled code have grown to their size. */
function growth(mib: readonly number[]): number {
  return (mib.at(-1) ?? Number.NaN) - (mib[2] ?? Number.NaN)
}

/** Two workers on two cores need two more for the load. */
const HAS_ROOM_FOR_TWO = availableParallelism() >= 4
const WORKERS_NOTE =
  'two workers ×: this machine has no two free cores, so this is 2 × (CPU per request with one worker ÷ with two): what two free cores would give.'

async function twoWorkers(
  one: Contestant,
  started: Contestant[],
  mockPort: number,
  load: Load,
  sizes: Scale,
): Promise<Sample> {
  const two = await startTokenFactory(mockPort, { workers: 2, ...(HAS_ROOM_FOR_TWO ? { cores: '0-1' } : {}) })
  started.push(two)
  await warm(two, load)
  const factors: number[] = []
  for (let turn = 0; turn < sizes.rounds; turn++) {
    const [alone, both] = [await wholeAnswers(one, load, sizes.wholeMs), await wholeAnswers(two, load, sizes.wholeMs)]
    const speeds = (both.requestsPerSecond ?? Number.NaN) / (alone.requestsPerSecond ?? Number.NaN)
    const costs = (alone.cpuPerRequest ?? Number.NaN) / (both.cpuPerRequest ?? Number.NaN)
    factors.push(HAS_ROOM_FOR_TWO ? speeds : 2 * costs)
    progress(`round ${turn + 1} of ${sizes.rounds}`, two)
  }
  return { twoWorkersFactor: median(factors) }
}

async function printCrossCheck(
  entries: readonly { readonly contestant: Contestant }[],
  load: Load,
  scratch: string,
): Promise<void> {
  for (const { contestant } of entries) {
    const both = await crossCheck(contestant, load, scratch)
    if (both === undefined) return console.log('  wrk is not installed: no cross-check')
    progress(`${both.ours.toFixed(0)} requests/s by our load generator, ${both.wrk.toFixed(0)} by wrk`, contestant)
  }
}

if (options.help) {
  console.log(HELP)
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stopAll().then(() => process.exit(130)))
  await main()
  process.exit(0)
}
