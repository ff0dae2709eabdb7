import { simulate } from './simulation.ts'
import type { ChargingRules } from './simulated-charging.ts'
import { historyOf } from './adversary.ts'
import type { Adversity } from './adversary.ts'

/** One way to run the protocol. A mutant breaks it on purpose: then the auditor has to notice. */
export interface Trial {
  readonly name: string
  readonly adversity: Adversity
  readonly rules: ChargingRules
  readonly overrunPercent?: number
  readonly isMutant: boolean
}

const HARSH: Adversity = { loss: 12, duplication: 10, crashes: 2, lostDisks: 0, longestWaitMs: 40_000 }
const LOST_DISKS: Adversity = { ...HARSH, lostDisks: 1 }
/** Nothing breaks, so nothing that goes back by itself may still be in use. */
const CALM: Adversity = { loss: 0, duplication: 10, crashes: 0, lostDisks: 0, longestWaitMs: 2_000 }

export const TRIALS: readonly Trial[] = [
  { name: 'strict', adversity: HARSH, rules: { mode: 'strict' }, isMutant: false },
  { name: 'strict, disks lost and found', adversity: LOST_DISKS, rules: { mode: 'strict' }, isMutant: false },
  { name: 'available', adversity: LOST_DISKS, rules: { mode: 'available' }, isMutant: false },
  { name: 'available, nothing breaks', adversity: CALM, rules: { mode: 'available' }, isMutant: false },
  { name: 'mutant: no dedupe', adversity: HARSH, rules: { mode: 'strict', mutant: 'no_dedupe' }, isMutant: true },
  { name: 'mutant: early close', adversity: HARSH, rules: { mode: 'strict', mutant: 'early_close' }, isMutant: true },
  {
    name: 'mutant: early reclaim',
    adversity: CALM,
    rules: { mode: 'available', mutant: 'early_reclaim' },
    isMutant: true,
  },
  { name: 'mutant: unsound hold', adversity: HARSH, rules: { mode: 'strict' }, overrunPercent: 40, isMutant: true },
]

export interface Verdict {
  /** What the auditor has to say against this history; empty when all is well. */
  readonly complaints: readonly string[]
  /** Money or units that were spent and never there. */
  readonly overspent: bigint
  readonly reclaimedLeft: bigint
  /** Set aside for ever, once everything has come to rest. */
  readonly stranded: bigint
  readonly requests: number
}

/**
 * Runs one history and audits it: every promise of the protocol, from outside and after everything has come to rest. In `available`
 * mode overspending is allowed up to what was left of the slices that went back before their records had come, and no further.
 */
export async function audit(trial: Trial, seed: number): Promise<Verdict> {
  const world = await simulate({
    ...historyOf(seed, trial.adversity),
    rules: trial.rules,
    overrunPercent: trial.overrunPercent ?? 0,
  })
  const allowed = trial.rules.mode === 'available' && trial.adversity !== CALM ? world.reclaimedLeft : 0n
  const complaints = [
    ...world.violations,
    ...(world.worstShortfall > allowed ? [`overspent by ${world.worstShortfall}, at most ${allowed} may be`] : []),
    ...(world.unpostedAcknowledged.length > 0
      ? [`acknowledged and not booked: ${world.unpostedAcknowledged.join()}`]
      : []),
    ...(world.postedTwiceDifferently.length > 0 ? [`booked in two ways: ${world.postedTwiceDifferently.join()}`] : []),
    ...(world.requestsWithoutRecord.length > 0
      ? [`opened and never recorded: ${world.requestsWithoutRecord.join()}`]
      : []),
    ...(world.conserved ? [] : ['what buckets lost is not what was sold']),
    ...(world.soldByRecords ? [] : ['what was sold is not what the records say, each counted once']),
    ...(world.lockedPico !== 0n || world.openSlicesAtCharging > 0 ? [`${world.lockedPico} stays set aside`] : []),
  ]
  return {
    complaints,
    overspent: world.worstShortfall,
    reclaimedLeft: world.reclaimedLeft,
    stranded: world.lockedPico,
    requests: world.postedIds.length,
  }
}
