import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { direct, type Contestant } from './rig/contestant.ts'
import { startTokenFactory } from './rig/factory.ts'
import { startNginx } from './rig/nginx.ts'
import { startPortkey } from './rig/portkey.ts'
import { startLoad, startMock, stopAll, type Load } from './rig/processes.ts'
import { fastStreams, latency, longRun, openStreams, pacedStreams, wholeAnswers, type Sample, type Scale } from './rig/sections.ts'
import { table, type Result } from './rig/table.ts'

const HELP = `npm run bench -- [options]     the gateway beside nginx and Portkey, in one interleaved run
  --quick                 a short run: one round, small numbers
  --section a,b           only these: whole, stream, latency, memory, flat (default: all)
  --only a,b              only contestants whose name contains one of these (direct and nginx are the yardsticks)
  --rounds N              interleaved rounds (default 4)
  --streams N             open streams in the memory section (default 5000)
  --requests N            requests of the flat-memory run (default 200000)`

const SECTIONS = ['whole', 'stream', 'latency', 'memory', 'flat'] as const

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

const FULL: Scale = { rounds: 4, wholeMs: 4000, streamMs: 4000, latencyMs: 6000, openStreams: 5000, flatRequests: 200_000 }
const QUICK: Scale = { rounds: 1, wholeMs: 2000, streamMs: 2500, latencyMs: 2000, openStreams: 1000, flatRequests: 20_000 }

function scale(): Scale {
  const base = options.quick ? QUICK : FULL
  const number = (text: string | undefined, otherwise: number): number => (text === undefined ? otherwise : Number(text))
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

async function contestants(mockPort: number, scratch: string): Promise<{ present: Contestant[]; missing: string[] }> {
  const cache = fileURLToPath(new URL('../.cache/bench-peers', import.meta.url))
  const present = [direct(mockPort)]
  const missing: string[] = []
  const add = async (name: string, start: () => Promise<Contestant | undefined>): Promise<void> => {
    const names = options.only?.split(',')
    if (names !== undefined && !names.some((part) => name.includes(part))) return
    const contestant = await start()
    if (contestant === undefined) missing.push(name)
    else present.push(contestant)
  }
  await add('factory', () => startTokenFactory(mockPort, { workers: 1 }))
  await add('nginx', () => startNginx(mockPort, scratch))
  await add('portkey', () => startPortkey(mockPort, cache))
  return { present, missing }
}

async function main(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'tokenfactory-bench-'))
  try {
    const sizes = scale()
    const mockPort = await startMock()
    const load = startLoad()
    const { present, missing } = await contestants(mockPort, scratch)
    console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`)
    const results: (Result & { samples: Sample[] })[] = present.map(({ name }) => ({ name, samples: [] }))
    if (wanted.has('memory')) {
      for (const [i, contestant] of present.entries()) {
        if (contestant.gatewayPids().length === 0) continue
        results[i]?.samples.push(await openStreams(contestant, load, contestant.slow ? sizes.openStreams / 4 : sizes.openStreams))
        console.log(`open streams ${contestant.name}`)
      }
    }
    for (const contestant of present) await warm(contestant, load)
    for (let turn = 0; turn < sizes.rounds; turn++) {
      for (const [i, contestant] of present.entries()) {
        results[i]?.samples.push(await round(contestant, load, sizes))
        console.log(`round ${turn + 1}/${sizes.rounds} ${contestant.name}`)
      }
    }
    console.log(`\n${table(results, missing)}\n`)
    if (wanted.has('flat')) for (const contestant of present.slice(1)) await flat(contestant, load, sizes)
    for (const contestant of present) await contestant.stop()
  } finally {
    await stopAll()
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function flat(contestant: Contestant, load: Load, sizes: Scale): Promise<void> {
  const requests = contestant.slow ? sizes.flatRequests / 20 : sizes.flatRequests
  const samples = await longRun(contestant, load, requests)
  console.log(`memory of ${contestant.name} over ${requests} requests, MiB: ${samples.map((mib) => mib.toFixed(1)).join(' ')}`)
}

if (options.help) {
  console.log(HELP)
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopAll().then(() => process.exit(130)))
  await main()
  process.exit(0)
}
