import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DiscrepancyClass, DiscrepancyState, RunState, StatementState, UsageRecord } from '#contract'
import { Problem } from '#kernel'
import { balances } from '#ledger'
import { sql } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import { expectCoherent } from '../../../test/charging.ts'
import { freshDatabase } from '../../../test/database.ts'
import { sampleId } from '../../../test/sample-usage.ts'
import {
  BY_REQUEST,
  CSV_HEAD,
  NOVEMBER,
  PAYEE,
  csvLine,
  fileOf,
  openWorld,
  toldOf,
  useNovember,
} from '../../../test/settlement.ts'
import type { World } from '../../../test/settlement.ts'
import { discrepancyMay, runMay, statementMay } from './model/states.ts'

const REQUESTS = 24
const SUPPLIERS = 4
const CLASSES: readonly DiscrepancyClass[] = ['missing_ours', 'missing_theirs', 'duplicate', 'quantity', 'price', 'tax']
const STEPS = ['match', 'agree', 'plan', 'recompute', 'review', 'approve', 'post', 'pay', 'close'] as const

const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...STEPS), by: fc.constantFrom('ann', 'bo') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      by: fc.constantFrom('ann', 'bo'),
      class: fc.constantFrom(...CLASSES),
      decision: fc.constantFrom('accept', 'adjust', 'write_off', 'dispute', 'assign' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('decide_one' as const),
      by: fc.constantFrom('ann', 'bo'),
      number: fc.integer({ min: 1, max: 12 }),
      decision: fc.constantFrom('accept', 'adjust', 'dispute' as const),
    }),
  },
)
type Act = typeof act extends fc.Arbitrary<infer One> ? One : never

/** What anybody may be answered; anything else is a failure of ours. */
const REFUSALS = new Set([
  'settlement_state',
  'undecided_discrepancies',
  'same_person',
  'settlement_stale',
  'nothing_to_settle',
  'unknown_run',
  'unknown_discrepancy',
  'payment_reused',
])

async function doIt({ settlement }: World, statement: string, one: Act): Promise<void> {
  const run = (await settlement.statement(statement)).runs[0] ?? 'none'
  const { by } = one
  if (one.kind === 'decide' || one.kind === 'decide_one') {
    const about = one.kind === 'decide' ? { class: one.class } : { numbers: [one.number] }
    const whom = one.decision === 'assign' ? { assignee: 'bo' } : {}
    await settlement.decide({
      id: statement,
      by,
      decision: { decision: one.decision, reason: 'random', ...about, ...whom },
    })
  } else if (one.kind === 'match' || one.kind === 'agree') await settlement[one.kind]({ id: statement, by })
  else if (one.kind === 'plan') await settlement.plan({ statement, by })
  else if (one.kind === 'pay') await settlement.pay({ id: run, by, reference: `bank-${run}` })
  else await settlement[one.kind]({ id: run, by })
}

/** A file with one of everything that can be wrong. */
function flawed(records: readonly UsageRecord[]): string {
  const lines = records.flatMap((record, n) => {
    const told = toldOf(record)
    if (n === 1) return [told, { ...told, id: `${told.id}x` }]
    if (n === 2) return []
    if (n === 3) return [told, told]
    if (n === 4)
      return [
        {
          ...told,
          output: told.output + 1,
          netPico: told.netPico + 50_000_000_000n,
          taxPico: told.taxPico + 3_000_000_000n,
        },
      ]
    if (n === 5)
      return [{ ...told, netPico: told.netPico - 1_000_000n, taxPico: ((told.netPico - 1_000_000n) * 6n + 50n) / 100n }]
    return n === 6 ? [{ ...told, taxPico: told.taxPico + 20_000_000_000n }] : [told]
  })
  return CSV_HEAD + lines.map(csvLine).join('')
}

async function expectLegal(database: Database): Promise<void> {
  const rows = await database.rows<{ subject: string; was: string | null; becomes: string; by_whom: string }>(
    sql`select subject, was, becomes, by_whom from settlement.event order by seq`,
  )
  const last = new Map<string, string>()
  for (const { subject, was, becomes, by_whom } of rows) {
    expect(by_whom).toBeTruthy()
    if (becomes.startsWith('discrepancies ')) continue
    expect(was).toBe(last.get(subject) ?? null)
    if (was !== null)
      expect(
        subject.startsWith('st-')
          ? statementMay(was as StatementState, becomes as StatementState)
          : runMay(was as RunState, becomes as RunState),
        `${subject}: ${was} → ${becomes}`,
      ).toBe(true)
    last.set(subject, becomes)
  }
  const now = await database.rows<{ id: string; state: string }>(
    sql`select id, state from settlement.statement union all select id, state from settlement.run`,
  )
  for (const { id, state } of now) expect(last.get(id), id).toBe(state)
}

test('whatever people do in whatever order: legal states, each step on record, books that prove, no accrual left once it is posted', async () => {
  await using database = await freshDatabase()
  await using stack = new AsyncDisposableStack()
  const names = Array.from({ length: SUPPLIERS }, (_, n) => `s${n}`)
  const world = await openWorld(database, stack, { knownSupplier: async (supplier) => names.includes(supplier) })
  const statements: string[] = []
  const all = await useNovember(world, {
    count: REQUESTS * SUPPLIERS,
    change: (n) => {
      const supplier = `s${n % SUPPLIERS}`
      return { supplier, id: sampleId(n) }
    },
  })
  for (const supplier of names) {
    await world.settlement.setMapping(supplier, BY_REQUEST, 'ann')
    await world.settlement.setPayee({ ...PAYEE, supplier }, 'ann')
    const source = await fileOf(world, supplier, flawed(all.filter((record) => record.supplier === supplier)))
    const asked = { supplier, period: NOVEMBER.key, fileName: supplier, source, by: 'ann' }
    statements.push((await world.settlement.importStatement(asked)).statement.id)
  }
  let turn = 0
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 30, maxLength: 60 }), async (acts) => {
      const statement = statements[turn++ % SUPPLIERS] ?? ''
      for (const one of acts) {
        try {
          await doIt(world, statement, one)
        } catch (error) {
          if (!(error instanceof Problem) || !REFUSALS.has(error.type.code)) throw error
        }
      }
    }),
    { numRuns: SUPPLIERS * 3, endOnFailure: true },
  )
  // And then all of it to its end, whatever state it is in.
  for (const id of statements) await finish(world, id)
  await expectLegal(database)
  for (const supplier of names) {
    const accrued = await balances(database, `2110:${supplier}`)
    expect(accrued.map(({ amountPico }) => amountPico)).toEqual([0n])
    const left = [...(await balances(database, `2115:${supplier}`)), ...(await balances(database, `2100:${supplier}`))]
    expect(left.filter(({ amountPico }) => amountPico !== 0n)).toEqual([])
  }
  const proof = await world.settlement.verify()
  expect(proof.checks.flatMap(({ disagreements }) => disagreements)).toEqual([])
  await expectCoherent(world.charging)
})

async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof Problem && REFUSALS.has(error.type.code)) return false
    throw error
  }
}

async function finish(world: World, id: string): Promise<void> {
  const { settlement } = world
  const pushRun = async (): Promise<void> => {
    const [run = 'none'] = (await settlement.statement(id)).runs
    await attempt(() => settlement.recompute({ id: run, by: 'cy' }))
    for (const by of ['ann', 'bo', 'cy'])
      for (const step of ['review', 'approve', 'post'] as const) await attempt(() => settlement[step]({ id: run, by }))
    await attempt(() => settlement.pay({ id: run, by: 'ann', reference: `bank-${run}` }))
  }
  await attempt(() => settlement.match({ id, by: 'ann' }))
  const decideAll = async (states: readonly DiscrepancyState[]): Promise<void> => {
    for (const found of await settlement.discrepancies({ statement: id, after: 0, limit: 500 }))
      if (states.includes(found.state) && discrepancyMay(found.state, 'accepted'))
        await attempt(() =>
          settlement.decide({
            id,
            by: 'ann',
            decision: { decision: 'accept', numbers: [found.number], reason: 'in the end' },
          }),
        )
  }
  await decideAll(['open', 'assigned'])
  await attempt(() => settlement.agree({ id, by: 'ann' }))
  await attempt(() => settlement.plan({ statement: id, by: 'ann' }))
  await pushRun()
  await decideAll(['disputed'])
  await attempt(() => settlement.plan({ statement: id, by: 'ann' }))
  await pushRun()
  expect((await settlement.statement(id)).statement.state).toBe('settled')
}
