import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Problem, parseYuan } from '#kernel'
import { manualClock } from '#platform/clock'
import { script, sql } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'
import { createAgreements } from './index.ts'
import type { Agreements } from './index.ts'
import { EDGES, isLegal } from './model/states.ts'
import type { Subject } from './model/states.ts'

const DAY = 86_400_000
const START_MS = Date.parse('2026-04-01T09:00+08:00')
const TENDER = readFileSync(new URL('../../../examples/tender.yaml', import.meta.url), 'utf8')
const HASH = 'b'.repeat(64)
/** Codes that pass the check, of nobody. */
const CODED = TENDER.replace('{ id: teamsun,', '{ id: teamsun, uscc: 91350100M000100Y43,').replace(
  '{ id: lexun,',
  '{ id: lexun, uscc: 91640100AAAAAAAA08,',
)

const happening = fc.record({
  what: fc.constantFrom(
    ...[
      'bid',
      'evaluate',
      'publish',
      'object',
      'decide',
      'award',
      'draft',
      'submit',
      'sign',
      'suspend',
      'resume',
      'end',
    ],
    ...[
      'propose',
      'issue',
      'acknowledge',
      'start',
      'deliver',
      'reject',
      'accept',
      'revoke',
      'give up',
      'stop',
      'go on',
    ],
    ...['wait', 'jobs'],
  ),
  pick: fc.nat(7),
  by: fc.constantFrom('ann', 'bob'),
  days: fc.nat(50),
})
const SHARES = [
  { supplier: 'teamsun', ppm: 600_000 },
  { supplier: 'lexun', ppm: 400_000 },
]
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

/** Anything may be tried at any time: it happens along a legal edge, or is refused with a typed problem. */
async function happen(
  agreements: Agreements,
  clock: ReturnType<typeof manualClock>,
  { what, pick, by, days }: Happening,
) {
  const actor = { by }
  const pack = `ningxia-2026/p${1 + (pick % 2)}`
  const signed = await agreements.agreements({})
  const id = signed[pick % Math.max(1, signed.length)]?.id ?? 'none'
  const orders = await agreements.callOffs({})
  const order = orders[pick % Math.max(1, orders.length)]
  const of = order?.id ?? 'none'
  const supplier = pick % 2 === 0 ? 'teamsun' : 'lexun'
  switch (what) {
    case 'bid':
      return agreements.recordBid(pack, { supplier, pricePico: parseYuan('1000'), documentHash: HASH }, actor)
    case 'evaluate':
      return agreements.evaluate(pack, { teamsun: { price: 1 }, lexun: { price: 2 } }, actor, 'chance')
    case 'publish':
      return agreements.publish(pack, SHARES, actor, 'chance')
    case 'object':
      return agreements.object(pack, { text: 'no', raisedBy: by })
    case 'decide':
      return agreements.decide({ id: pack, seq: 1, decision: pick > 5 ? 'upheld' : 'rejected', reason: 'x' }, actor)
    case 'award':
      return agreements.award(pack, actor, 'chance')
    case 'draft':
      return agreements.draft(
        { package: pack, supplier, validFromMs: clock.nowMs() + (pick % 3) * DAY, validMonths: 70 },
        actor,
      )
    case 'submit':
      return agreements.submit(id, actor, 'chance')
    case 'sign':
      return agreements.sign(id, actor, 'chance')
    case 'suspend':
      return agreements.suspend(id, actor, 'chance')
    case 'resume':
      return agreements.resume(id, actor, 'chance')
    case 'end':
      return days > 45 ? agreements.terminate(id, actor, 'chance') : undefined
    case 'propose':
      return agreements.propose({ package: pack, units: 10 * (1 + pick), reason: 'chance' }, actor)
    case 'issue':
      return agreements.issue(order?.batch ?? 'none', actor, 'chance')
    case 'acknowledge':
      return agreements.acknowledge(of, actor, 'chance')
    case 'start':
      return agreements.startDelivery(of, actor, 'chance')
    case 'deliver':
      return agreements.deliver(of, 1 + days, actor)
    case 'reject':
      return agreements.reject(of, actor, 'chance')
    case 'accept':
      return agreements.acceptCallOff(of, { reportHash: HASH, reason: 'chance' }, actor)
    case 'revoke':
      return agreements.revokeAcceptance(of, actor, 'chance')
    case 'give up':
      return days > 40 ? agreements.terminateCallOff(of, actor, 'chance') : undefined
    case 'stop':
      return agreements.stopClock(of, actor, 'chance')
    case 'go on':
      return agreements.resumeClock(of)
    case 'wait':
      return clock.advance(days * DAY)
    default:
      return agreements.runDue()
  }
}

/** Bids, award and signed agreements of both bidders: chance alone seldom gets that far. */
async function contract(agreements: Agreements, clock: ReturnType<typeof manualClock>): Promise<void> {
  const [pack, ann, bob] = ['ningxia-2026/p1', { by: 'ann' }, { by: 'bob' }]
  const suppliers = ['teamsun', 'lexun']
  for (const supplier of suppliers)
    await agreements.recordBid(pack, { supplier, pricePico: parseYuan('1000'), documentHash: HASH }, ann)
  await agreements.evaluate(pack, { teamsun: { price: 1 }, lexun: { price: 2 } }, ann, 'scored')
  await agreements.publish(pack, SHARES, ann, 'ranked')
  clock.advance(3 * DAY)
  await agreements.award(pack, bob, 'awarded')
  for (const supplier of suppliers) {
    const { id } = await agreements.draft({ package: pack, supplier, validFromMs: clock.nowMs(), validMonths: 70 }, ann)
    await agreements.submit(id, ann, 'ready')
    await agreements.sign(id, bob, 'signed')
  }
}

test('whatever happens, every state is reached along a legal edge that is on record, and only accepted capacity is usable', async () => {
  await using database = await freshDatabase()
  let seen = 0
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(happening, { minLength: 50, maxLength: 120 }),
      async (isFar, happenings) => {
        for (const table of [
          'lot',
          'delivery',
          'clock_stop',
          'call_off',
          'division',
          'agreement',
          'share',
          'objection',
          'bid',
          'package',
          'project',
          'transition',
          'supplier',
        ])
          await database.rows(script(`delete from agreements.${table}`))
        const clock = manualClock(START_MS)
        const agreements = createAgreements({ database, clock })
        await agreements.applyTender(CODED, 'tender.yaml', { by: 'ann' })
        if (isFar) await contract(agreements, clock)
        for (const each of happenings)
          try {
            await happen(agreements, clock, each)
          } catch (error) {
            if (!(error instanceof Problem)) throw error
          }
        seen += await check()
      },
    ),
    { numRuns: 12, ...(process.env['SEED'] ? { seed: Number(process.env['SEED']) } : {}) },
  )
  expect(seen).toBeGreaterThan(200)

  async function check(): Promise<number> {
    const moves = await database.rows<{
      subject: Subject
      id: string
      seq: number
      from: string | null
      to: string
      by: string
      reason: string
    }>(sql`
      select subject, id, seq, from_state as "from", to_state as "to", by, reason from agreements.transition order by subject, id, seq
    `)
    const last = new Map<string, string>()
    for (const { subject, id, from, to, by, reason } of moves) {
      const key = `${subject} ${id}`
      expect(from).toBe(last.get(key) ?? null)
      if (from !== null) expect(isLegal(subject, from, to), `${key}: ${from} → ${to}`).toBe(true)
      expect(by && reason).toBeTruthy()
      last.set(key, to)
    }
    for (const subject of Object.keys(EDGES) as Subject[]) {
      const rows = await database.rows<{ id: string; state: string }>(
        script(`select id, state from agreements.${subject}`),
      )
      for (const { id, state } of rows) expect(last.get(`${subject} ${id}`)).toBe(state)
    }
    const money = await database.rows<{ wrong: bigint }>(sql`
      select count(*) as wrong from agreements.agreement a where called <> (
        select coalesce(sum(c.amount), 0) from agreements.call_off c
         where c.agreement = a.id and c.issued_by is not null and not (c.state = 'terminated' and c.accepted_at_ms is null))
    `)
    expect(money).toEqual([{ wrong: 0n }])
    return moves.length
  }
})
