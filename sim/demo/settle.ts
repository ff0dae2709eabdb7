import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StatementMapping } from '#contract'
import { formatYuan } from '#kernel'
import { balances } from '#ledger'
import { BUY, WINNERS } from './market.ts'
import { statementOf } from './month.ts'
import { atChina } from './procure.ts'
import type { Story } from './procure.ts'
import type { startSuppliers } from './suppliers.ts'

const PERIOD = '2026-07'
const CLERK = 'chen@operator.example'
const CHIEF = 'zhao@operator.example'

const MAPPING = StatementMapping.parse({
  format: 'csv',
  granularity: 'day_model',
  columns: { day: 'day', model: 'model', input: 'input', output: 'output', amount: 'amount' },
  tokenUnit: 'token',
  amountUnit: 'millionth_yuan',
  amountIncludesTax: false,
  taxPercent: 6,
})

/** The month is over: SLA reports, statements matched with our records, penalties, two people, one posting, one payment. */
export async function settleJuly(story: Story, suppliers: Awaited<ReturnType<typeof startSuppliers>>): Promise<void> {
  const { world, clock, tell } = story
  const { settlement, quality } = world
  clock.advance(atChina('2026-08-05T09:00') - clock.nowMs())
  for (const one of await quality.cases({}))
    if (one.state === 'flagged') {
      await quality.decideCase(one.id, 'disputed', { by: CLERK, reason: 'claims are above our counts' })
      await quality.decideCase(one.id, 'upheld', { by: CHIEF, reason: 'our counts stand' })
    }
  const reports = await quality.computeReports(PERIOD, CLERK)
  tell(`SLA reports of ${PERIOD}: ${reports.length}`)
  const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-demo-'))
  try {
    for (const [i, { id: supplier, uscc }] of WINNERS.entries()) {
      await settlement.setMapping(supplier, MAPPING, CLERK)
      const bankAccount = `62170000123456${String(10 + i)}`
      await settlement.setPayee(
        { supplier, name: supplier, uscc, bank: '中国银行银川分行', bankAccount, taxPercent: 6 },
        CLERK,
      )
      const content = statementOf(suppliers, supplier, BUY)
      const path = join(folder, `${supplier}.csv`)
      await writeFile(path, content)
      const { statement } = await settlement.importStatement({
        ...{ supplier, period: PERIOD, fileName: `${supplier}-${PERIOD}.csv`, by: CLERK },
        source: { path, bytes: Buffer.byteLength(content) },
      })
      const matched = await settlement.match({ id: statement.id, by: CLERK })
      const open = (await settlement.discrepancies({ statement: statement.id, state: 'open', after: 0, limit: 1_000 }))
        .length
      if (open > 0) throw new Error(`${open} differences of ${supplier} were not expected`)
      await settlement.agree({ id: statement.id, by: CLERK })
      for (const penalty of await settlement.collectPenalties({ supplier, period: PERIOD, by: CLERK })) {
        await settlement.decidePenalty({
          id: penalty.id,
          decision: 'approve',
          reason: 'the evidence stands',
          by: CHIEF,
        })
        tell(`penalty of ${supplier}: ¥${formatYuan(penalty.amountPico)} (${penalty.kind}: ${penalty.reason})`)
      }
      const run = await settlement.plan({ statement: statement.id, by: CLERK })
      await settlement.review({ id: run.id, by: CHIEF })
      await settlement.approve({ id: run.id, by: CHIEF })
      const posted = await settlement.post({ id: run.id, by: CLERK })
      await settlement.pay({ id: run.id, by: CLERK, reference: `bank-${supplier}-${PERIOD}` })
      await settlement.close({ id: run.id, by: CLERK })
      tell(
        `settled: ${supplier}, statement ${matched.state}, ${posted.figures === null ? '' : `¥${formatYuan(posted.figures.grossFen * 10_000_000_000n)} with tax`}`,
      )
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The books prove themselves, and nothing of the month is left where it was accrued. Throws what disagrees. */
export async function proveBooks({ world, tell }: Story): Promise<void> {
  const { charging, catalogue, billing, settlement, database } = world
  const checks = [
    ...(await charging.verify(await catalogue.ratingSources())).checks,
    ...(await billing.verify()).checks,
    ...(await settlement.verify()).checks,
  ]
  const wrong = checks.filter(({ ok }) => !ok)
  if (wrong.length > 0) throw new Error(`the books disagree: ${JSON.stringify(wrong)}`)
  tell(`verified: ${checks.length} checks, no disagreement`)
  for (const { id } of WINNERS) {
    const left =
      (await balances(database, `2110:${id}`)).find(({ account }) => account === `2110:${id}`)?.amountPico ?? 0n
    // What was served after the month belongs to the next statement.
    if (left !== 0n) throw new Error(`¥${formatYuan(left)} of ${id} are still accrued`)
  }
  tell('accrued to the four suppliers: nothing is left')
}
