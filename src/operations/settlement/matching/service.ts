import type { DiscrepancyDecision, DiscrepancyState } from '#contract'
import { periodOfKey } from '#kernel'
import type { SettlementDeps, StatementTerms } from '../deps.ts'
import { insertEvents } from '../event-store.ts'
import { discrepanciesThatMay } from '../model/states.ts'
import { amountOutside, invalidMonth, settlementState, undecided, unknownDiscrepancy } from '../problems.ts'
import { held, step } from '../statements/states.ts'
import { findPayee, mappingOf, setTerms } from '../statements/store.ts'
import type { Statement } from '../statements/store.ts'
import { claimUsage, leaveToNext } from './claim-store.ts'
import { countIn, decideDiscrepancies, listDiscrepancies } from './decision-store.ts'
import { insertDiscrepancies, resolveWithinTolerance } from './match-store.ts'

interface Ask {
  readonly id: string
  readonly by: string
}

const NO_TOLERANCE = { absPico: 0n, bps: 0 }

/**
 * Holds a statement against our records and the agreement. It may be done again, with what arrived meanwhile, as long as nothing is
 * agreed; what had been decided about single differences is then decided anew.
 */
export async function match(deps: SettlementDeps, { id, by }: Ask): Promise<Statement> {
  const known = await deps.database.transaction((tx) => held(tx, id))
  const period = periodOfKey('month', known.period)
  if (!period) throw invalidMonth({ period: known.period })
  const agreed = await deps.termsOf(known.supplier, period.toMs - 1)
  const nowMs = deps.clock.nowMs()
  return deps.database.transaction(async (tx) => {
    const statement = await held(tx, id)
    const filed = await mappingOf(tx, statement.supplier, statement.mapping)
    if (!filed) throw new Error(`${id}: no mapping ${statement.mapping}`)
    const { mapping } = filed
    const terms: StatementTerms = agreed ?? {
      agreement: null,
      taxPercent: (await findPayee(tx, statement.supplier))?.taxPercent ?? mapping.taxPercent,
      tolerance: NO_TOLERANCE,
    }
    const matching = await step(tx, statement, 'matching', { by, nowMs })
    await setTerms(tx, id, terms)
    const { fromMs, toMs } = period
    await claimUsage(tx, { statement: id, supplier: statement.supplier, period: statement.period, fromMs, toMs })
    const notes: string[] = []
    if (statement.granularity === 'request') {
      const sinceMs = toMs - mapping.cutoffMinutes * 60_000
      const { requests } = await leaveToNext(tx, { statement: id, sinceMs, toMs })
      if (requests > 0) notes.push(`${requests} requests of the last minutes left to the next month`)
    }
    const { granularity, supplier } = statement
    await insertDiscrepancies(tx, {
      ...{ statement: id, supplier, granularity, fromMs, toMs },
      utcOffsetMinutes: mapping.utcOffsetMinutes,
      taxPercent: terms.taxPercent,
      amountDecimals: mapping.amountDecimals,
    })
    const resolved = await resolveWithinTolerance(tx, { statement: id, ...terms.tolerance })
    if (resolved > 0) notes.push(`${resolved} within tolerance`)
    const open = await countIn(tx, id, ['open'])
    return step(tx, { ...matching, terms }, open > 0 ? 'discrepant' : 'matched', {
      ...{ by, nowMs },
      note: [`${open} open`, ...notes].join('; '),
    })
  })
}

const BECOMES: Readonly<Record<DiscrepancyDecision['decision'], DiscrepancyState>> = {
  assign: 'assigned',
  accept: 'accepted',
  adjust: 'adjusted',
  write_off: 'written_off',
  dispute: 'disputed',
}

/** Decides about some differences or a class of them. Disputes may also be ended after everything else was settled. */
export async function decide(
  deps: SettlementDeps,
  { id, by, decision }: Ask & { decision: DiscrepancyDecision },
): Promise<{ decided: number; statement: Statement }> {
  const nowMs = deps.clock.nowMs()
  return deps.database.transaction(async (tx) => {
    const statement = await held(tx, id)
    const becomes = BECOMES[decision.decision]
    const isHeld = statement.state === 'approved' || statement.state === 'settled'
    const isOpen = statement.state === 'discrepant' || statement.state === 'disputed' || statement.state === 'matched'
    if (!isOpen && !(isHeld && becomes !== 'assigned' && becomes !== 'disputed'))
      throw settlementState({ id, state: statement.state, wanted: becomes })
    const pays = await paidOf(tx, id, decision)
    const decided = await decideDiscrepancies(tx, {
      ...{ statement: id, state: becomes, pays, numbers: decision.numbers, class: decision.class },
      from: discrepanciesThatMay(becomes),
      ...{ assignee: decision.assignee ?? null, isHeld },
    })
    if (decision.numbers !== undefined && decided < decision.numbers.length) {
      const [number = 0] = decision.numbers
      throw unknownDiscrepancy({ statement: `${id} in a state for that`, number })
    }
    await insertEvents(tx, [
      {
        ...{ subject: id, atMs: nowMs, was: null, becomes: `discrepancies ${becomes}`, by },
        note: `${decision.class ?? decision.numbers?.slice(0, 20).join(' ') ?? ''}: ${decision.reason}`,
        number: decided,
      },
    ])
    if (becomes === 'disputed' && statement.state === 'discrepant')
      return { decided, statement: await step(tx, statement, 'disputed', { by, nowMs, note: decision.reason }) }
    return { decided, statement }
  })
}

async function paidOf(
  tx: Parameters<typeof held>[0],
  id: string,
  decision: DiscrepancyDecision,
): Promise<'all' | 'nothing' | bigint> {
  if (decision.decision === 'accept' || decision.decision === 'write_off') return 'all'
  if (decision.amountPico === undefined) return 'nothing'
  const amount = BigInt(decision.amountPico)
  const number = decision.numbers?.[0] ?? 0
  const [found] = await listDiscrepancies(tx, {
    ...{ statement: id, class: undefined, state: undefined, after: number - 1, limit: 1 },
  })
  if (found?.number !== number) throw unknownDiscrepancy({ statement: id, number })
  const { impactPico } = found
  const isBetween = impactPico >= 0n ? amount >= 0n && amount <= impactPico : amount <= 0n && amount >= impactPico
  if (!isBetween) throw amountOutside({ number, impactPico: `${impactPico}` })
  return amount
}

/** Both sides are of one mind about everything that is not in dispute. Throws `undecided_discrepancies`. */
export async function agree(deps: SettlementDeps, { id, by, note }: Ask & { note?: string }): Promise<Statement> {
  const nowMs = deps.clock.nowMs()
  return deps.database.transaction(async (tx) => {
    const statement = await held(tx, id)
    const count = await countIn(tx, id, ['open', 'assigned'])
    if (count > 0) throw undecided({ id, count })
    return step(tx, statement, 'agreed', { by, nowMs, ...(note === undefined ? {} : { note }) })
  })
}
