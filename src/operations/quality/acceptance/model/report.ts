import type { CapabilityUnit } from '#contract'
import type { ConformanceReport } from '../../conformance/model.ts'
import type { FirstWords, IdentityResult } from './identity.ts'
import type { LoadSummary } from './judge.ts'
import type { Sample } from './statistics.ts'

/** All of an acceptance run: what was promised, what was done, what was seen, what follows. */
export interface AcceptanceReport {
  readonly kind: 'acceptance'
  readonly format: 1
  readonly id: string
  readonly callOff: string
  readonly agreement: string
  readonly supplier: string
  readonly model: string
  readonly baseUrl: string
  readonly units: number
  readonly unit: CapabilityUnit
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly runBy: string
  readonly arrivals: 'poisson' | 'trace'
  readonly fluctuationPpm: number
  readonly conformance: ConformanceReport
  readonly identity: {
    readonly firstWords: FirstWords
    /** The report that it was compared with; null: there was none, and this one is what later ones are compared with. */
    readonly comparedWith: string | null
    readonly result: IdentityResult | null
  }
  readonly load: LoadSummary
  readonly samples: readonly Sample[]
  readonly passed: boolean
}

export function hasPassed({
  conformance,
  identity,
  load,
}: Pick<AcceptanceReport, 'conformance' | 'identity' | 'load'>): boolean {
  return conformance.conforms && (identity.result?.isSame ?? true) && load.judgements.every(({ passed }) => passed)
}
