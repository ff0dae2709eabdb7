import { periodOfKey } from '#kernel'
import type { SettlementDeps } from '../deps.ts'
import { insertEvents } from '../event-store.ts'
import {
  invalidMonth,
  penaltyReused,
  samePerson,
  settlementState,
  unknownPenalty,
  unknownSupplier,
} from '../problems.ts'
import { decidePenalty, findPenalty, insertPenalty } from './penalty-store.ts'
import type { Penalty } from './penalty-store.ts'

export type NewPenalty = Pick<Penalty, 'id' | 'supplier' | 'period' | 'kind' | 'amountPico' | 'reason' | 'evidence'>

/** Says that a supplier owes us a penalty; once per id. Somebody else approves it. */
export async function propose(deps: SettlementDeps, asked: NewPenalty, by: string): Promise<Penalty> {
  if (!periodOfKey('month', asked.period)) throw invalidMonth({ period: asked.period.slice(0, 20) })
  if (!(await deps.knownSupplier(asked.supplier))) throw unknownSupplier({ supplier: asked.supplier })
  const nowMs = deps.clock.nowMs()
  return deps.database.transaction(async (tx) => {
    const known = await findPenalty(tx, asked.id)
    if (!known) {
      await insertPenalty(tx, { ...asked, proposedBy: by, proposedAtMs: nowMs })
      await insertEvents(tx, [eventOf(asked.id, { nowMs, was: null, becomes: 'proposed', by, note: asked.reason })])
    }
    const penalty = await findPenalty(tx, asked.id)
    const { supplier, period, amountPico, kind } = asked
    const isSame =
      penalty?.supplier === supplier &&
      penalty.period === period &&
      penalty.amountPico === amountPico &&
      penalty.kind === kind
    if (!penalty || !isSame) throw penaltyReused({ id: asked.id })
    return penalty
  })
}

const BECOMES = { approve: 'approved', waive: 'waived', contest: 'contested' } as const
const FROM: Readonly<Record<keyof typeof BECOMES, readonly Penalty['state'][]>> = {
  approve: ['proposed', 'contested'],
  waive: ['proposed', 'contested', 'approved'],
  contest: ['proposed', 'approved'],
}

/** To take money off, and to let it go, two people are needed; to contest it, anybody. */
export async function decideOnPenalty(
  deps: SettlementDeps,
  {
    id,
    decision,
    reason,
    by,
    supplier,
  }: { id: string; decision: keyof typeof BECOMES; reason: string; by: string; supplier?: string | undefined },
): Promise<Penalty> {
  const nowMs = deps.clock.nowMs()
  return deps.database.transaction(async (tx) => {
    const penalty = await findPenalty(tx, id)
    if (!penalty || (supplier !== undefined && penalty.supplier !== supplier))
      throw unknownPenalty({ id: id.slice(0, 120) })
    const becomes = BECOMES[decision]
    if (!FROM[decision].includes(penalty.state)) throw settlementState({ id, state: penalty.state, wanted: becomes })
    if (decision !== 'contest' && penalty.proposedBy === by) throw samePerson({ by })
    await decidePenalty(tx, { id, state: becomes, by: decision === 'contest' ? null : by })
    await insertEvents(tx, [eventOf(id, { nowMs, was: penalty.state, becomes, by, note: reason })])
    return (await findPenalty(tx, id)) ?? penalty
  })
}

function eventOf(
  id: string,
  { nowMs, was, becomes, by, note }: { nowMs: number; was: string | null; becomes: string; by: string; note: string },
) {
  return { subject: `penalty:${id}`, atMs: nowMs, was, becomes, by, note, number: null }
}
