/**
 * The slice protocol against an adversary: `npm run sim:charging -- [--seeds 10000] [--first 0]`. Runs the gateway's real code on a
 * model of charging, a network that loses, repeats and reorders, disks that forget what they did not acknowledge, and crashes, once
 * per seed and trial; audits each history; and breaks the protocol in four ways to see that the audit notices. Exits non-zero if a
 * sound trial has a complaint or a mutant passes unnoticed.
 */
import { parseArgs } from 'node:util'
import { TRIALS, audit } from './charging/trial.ts'
import type { Trial } from './charging/trial.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '10000' }, first: { type: 'string', default: '0' } },
})
const seeds = Number(values.seeds)
const first = Number(values.first)
if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(first) || first < 0)
  throw new Error('--seeds and --first are whole numbers')
/** Mutants are caught within a few histories; running all of them would only say so more often. */
const MUTANT_SHARE = 10

let failed = false
console.log(
  `${'trial'.padEnd(30)} ${'histories'.padStart(9)} ${'requests'.padStart(9)} ${'complaints'.padStart(10)} ${'overspent'.padStart(9)} ${'worst'.padStart(6)} ${'stranded'.padStart(8)}`,
)
for (const trial of TRIALS) await run(trial, trial.isMutant ? Math.max(20, Math.ceil(seeds / MUTANT_SHARE)) : seeds)
process.exitCode = failed ? 1 : 0

async function run(trial: Trial, histories: number): Promise<void> {
  let complained = 0
  let overspent = 0
  let worst = 0n
  let stranded = 0n
  let requests = 0
  let example = ''
  const started = performance.now()
  for (let seed = first; seed < first + histories; seed++) {
    const verdict = await audit(trial, seed)
    requests += verdict.requests
    if (verdict.overspent > 0n) overspent++
    if (verdict.overspent > worst) worst = verdict.overspent
    if (verdict.stranded > stranded) stranded = verdict.stranded
    if (verdict.complaints.length > 0) {
      complained++
      example ||= `seed ${seed}: ${verdict.complaints.join('; ')}`
    }
    if (process.stderr.isTTY && seed % 50 === 0)
      process.stderr.write(`\r${trial.name} ${Math.round(((seed - first) / histories) * 100)} % `)
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(
    `${trial.name.padEnd(30)} ${String(histories).padStart(9)} ${String(requests).padStart(9)} ${String(complained).padStart(10)} ${String(overspent).padStart(9)} ${String(worst).padStart(6)} ${String(stranded).padStart(8)}   ${seconds} s`,
  )
  const isWrong = trial.isMutant ? complained === 0 : complained > 0
  if (isWrong) failed = true
  if (trial.isMutant) console.log(`    ${complained > 0 ? `caught, for example ${example}` : 'NOT CAUGHT'}`)
  else if (example) console.log(`    FAILED ${example}`)
}
