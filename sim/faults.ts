/**
 * Providers that fail, for as long as wanted: `npm run sim:faults -- [--minutes 5] [--seed 1] [--concurrency 200]`. The real gateway
 * process before three misbehaving providers, each of which has every fault with one request in a hundred. Every answer is judged, every
 * record is rated again, and after each round nothing may be under way, held or open. Exits non-zero at the first that is not so, or
 * if the gateway's memory keeps growing.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { assertBilled, runLoad, spoil } from '../test/faults/load.ts'
import { setScene } from '../test/faults/scene.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '200' },
  },
})
const minutes = Number(values.minutes)
const concurrency = Number(values.concurrency)
const firstSeed = Number(values.seed)
if (!(minutes > 0) || !Number.isSafeInteger(concurrency) || concurrency < 1 || !Number.isSafeInteger(firstSeed))
  throw new Error('--minutes, --seed and --concurrency are numbers above zero')

const REQUESTS = 2_000
/** What is allocated once and for all has been by then. */
const WARM_ROUNDS = 3
const MOST_GROWTH_MB = 64

await using scene = await setScene([{ id: 'loaded', prefill: [2, 3], providers: 3 }], {
  maxConcurrency: concurrency + 4,
})
const until = performance.now() + minutes * 60_000
let warmMb = 0
console.log('round   whole  continued  broken off  refused                              slowest ms  gateway MB')
for (let round = 0; performance.now() < until; round++) {
  await spoil(scene, 'loaded', firstSeed + round * 3)
  const tally = await runLoad(scene, { service: 'loaded', requests: REQUESTS, concurrency })
  await scene.expectClean()
  assertBilled(scene, tally)
  const mb = residentMb(scene.gateway.pid)
  const refused = [...tally.refused].map(([code, count]) => `${code} ${count}`).join(', ')
  console.log(
    `${String(round).padStart(5)} ${String(tally.whole).padStart(7)} ${String(tally.continued).padStart(10)} ${String(tally.brokenOff).padStart(11)}  ${refused.padEnd(38)} ${tally.slowestMs.toFixed(0).padStart(8)} ${mb.toFixed(0).padStart(11)}`,
  )
  if (round === WARM_ROUNDS) warmMb = mb
  if (round > WARM_ROUNDS && mb > warmMb + MOST_GROWTH_MB)
    throw new Error(`the gateway grew from ${warmMb.toFixed(0)} to ${mb.toFixed(0)} MB`)
  scene.control.forget()
  for (const provider of scene.providers) await provider.forget()
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}
