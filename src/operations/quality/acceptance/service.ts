import type { CapabilityUnit } from '#contract'
import { hash } from 'node:crypto'
import type { Clock } from '#platform/clock'
import { randomWords } from '#platform/crypto'
import type { Database } from '#platform/postgres'
import { checkConformance } from '../conformance/kit.ts'
import type { Feature } from '../conformance/model.ts'
import { createProbe } from '../conformance/probe.ts'
import type { Target } from '../conformance/probe.ts'
import type { Counter } from '../conformance/session.ts'
import { insertAcceptance, newestPassed } from '../store/acceptances.ts'
import type { AcceptanceRow } from '../store/acceptances.ts'
import { askFirstWords } from './identity-probe.ts'
import { runLoad } from './load.ts'
import { fullRate, poisson } from './model/arrivals.ts'
import type { Arrival } from './model/arrivals.ts'
import { compareIdentity } from './model/identity.ts'
import { judgeLoad } from './model/judge.ts'
import { hasPassed } from './model/report.ts'
import type { AcceptanceReport } from './model/report.ts'
import { percentile } from './model/statistics.ts'
import { signReport } from './sign.ts'

/** What is accepted: an order, by the terms of its agreement, at an endpoint. */
export interface Subject {
  readonly callOff: string
  readonly agreement: string
  readonly supplier: string
  readonly units: number
  readonly unit: CapabilityUnit
  readonly target: Target
}

export interface AcceptanceOptions {
  readonly counter: Counter | undefined
  readonly seconds: number
  /** Of a Poisson load: how long a request and its answer are. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** Part of all ordered units that the load asks for, in millionths. */
  readonly loadPpm: number
  readonly trace: readonly Arrival[] | undefined
  readonly fluctuationPpm: number
  readonly burst: number
  readonly by: string
}

/** Live figures of a run. */
export interface AcceptanceProgress {
  readonly stage: 'conformance' | 'identity' | 'load'
  readonly done: number
  readonly total: number
  readonly failures: number
  readonly ttftP50Ms: number | null
  readonly ttftP99Ms: number | null
  readonly tpotP50Ms: number | null
}

interface Deps {
  readonly database: Database
  readonly clock: Clock
  readonly signingKey: string
}

const TOLERANCE = { outputAbs: 4, outputPpm: 5_000, inputAbs: 8, inputPpm: 10_000 }
const LIVE_EVERY = 10

/** What a unit promises beyond plain chat, as the kit calls it. */
function promisesOf({ features }: CapabilityUnit): ReadonlySet<Feature> {
  return new Set(features.filter((each) => each === 'tools' || each === 'structured_output'))
}

/** Runs conformance, identity and load against the supplier for real, and keeps the signed report. Decides nothing about the order. */
export async function runAcceptance(
  { database, clock, signingKey }: Deps,
  subject: Subject,
  options: AcceptanceOptions,
  onProgress: (progress: AcceptanceProgress) => void,
): Promise<AcceptanceRow> {
  const startedAtMs = clock.nowMs()
  const { target, unit, units, supplier } = subject
  const plain = (stage: AcceptanceProgress['stage'], done: number, total: number) =>
    onProgress({ stage, done, total, failures: 0, ttftP50Ms: null, ttftP99Ms: null, tpotP50Ms: null })
  const { counter, fluctuationPpm, by } = options
  const conformance = await checkConformance(
    target,
    {
      counter,
      tolerance: TOLERANCE,
      contextTokens: unit.contextTokens,
      promised: promisesOf(unit),
      burst: options.burst,
    },
    { clock, onProgress: ({ done, total }) => plain('conformance', done, total) },
  )
  const random = fractions()
  const probe = createProbe(target)
  const firstWords = await askFirstWords(probe, (done, total) => plain('identity', done, total))
  const before = await newestPassed(database, { supplier, model: target.model })
  const known = before && (JSON.parse(before.report) as AcceptanceReport).identity.firstWords
  const result = known ? compareIdentity(known, firstWords, random) : null
  const arrivals = options.trace ?? poisson(loadOf(unit, units, options), random)
  let told = 0
  const samples = await runLoad(probe, arrivals, {
    counter,
    onProgress: ({ done, total, samples: seen }) => {
      if (++told % LIVE_EVERY !== 0 && done !== total) return
      const of = (name: 'ttftMs' | 'tpotMs', ppm: number) =>
        percentile(
          seen.flatMap((each) => each[name] ?? []),
          ppm,
        )
      const failures = seen.filter(({ ok }) => !ok).length
      const live = {
        ttftP50Ms: of('ttftMs', 500_000),
        ttftP99Ms: of('ttftMs', 990_000),
        tpotP50Ms: of('tpotMs', 500_000),
      }
      onProgress({ stage: 'load', done, total, failures, ...live })
    },
  })
  const lengthMs = Math.max(1, options.trace ? (arrivals.at(-1)?.atMs ?? 0) + 1 : options.seconds * 1000)
  const load = judgeLoad(samples, unit, { lengthMs, fluctuationPpm })
  const identity = { firstWords, comparedWith: before?.id ?? null, result }
  const report: AcceptanceReport = {
    ...{ kind: 'acceptance', format: 1 },
    id: `acc_${hash('sha256', `${subject.callOff} ${startedAtMs} ${random()}`, 'hex').slice(0, 20)}`,
    ...{
      callOff: subject.callOff,
      agreement: subject.agreement,
      supplier,
      model: target.model,
      baseUrl: target.baseUrl,
    },
    ...{ units, unit, startedAtMs, endedAtMs: clock.nowMs(), runBy: by },
    arrivals: options.trace ? 'trace' : 'poisson',
    ...{ fluctuationPpm, conformance, identity, load, samples },
    passed: hasPassed({ conformance, identity, load }),
  }
  const row: AcceptanceRow = {
    ...signReport(JSON.stringify(report), signingKey),
    ...{ id: report.id, callOff: report.callOff, supplier, model: report.model },
    ...{ passed: report.passed, runBy: by, endedAtMs: report.endedAtMs },
  }
  await insertAcceptance(database, row)
  return row
}

function loadOf(unit: CapabilityUnit, units: number, options: AcceptanceOptions) {
  const { seconds, inputTokens, outputTokens, loadPpm } = options
  const size = { inputTokens, outputTokens }
  return { seconds, perMinute: (fullRate(unit, units, size) * loadPpm) / 1_000_000, ...size }
}

function fractions(): () => number {
  const next = randomWords()
  return () => next() / 2 ** 32
}
