import type { DiscrepancyClass } from '#contract'
import { balances } from '#ledger'
import type { Database } from '#platform/postgres'
import { NOVEMBER, PAYEE } from '../../test/settlement.ts'
import type { World } from '../../test/settlement.ts'
import { MAPPING, compare } from './month.ts'
import type { Month } from './month.ts'

/** What is decided about each class; the others settle themselves. */
const DECISIONS: readonly (readonly [DiscrepancyClass, 'accept' | 'adjust' | 'write_off'])[] = [
  ['missing_ours', 'adjust'],
  ['missing_theirs', 'accept'],
  ['duplicate', 'adjust'],
  ['quantity', 'adjust'],
  ['price', 'accept'],
  ['tax', 'adjust'],
]

export interface Settled {
  readonly complaints: readonly string[]
  readonly classes: readonly string[]
}

/** From the file to the payment; says whatever is not as it was put in, or not as it should be in the books. */
export async function settleMonth(
  world: World,
  { database, month, onProgress = () => {} }: { database: Database; month: Month; onProgress?: (what: string) => void },
): Promise<Settled> {
  const { settlement } = world
  await settlement.setMapping('vllm', MAPPING, 'clerk')
  await settlement.setPayee(PAYEE, 'clerk')
  const { statement } = await settlement.importStatement({
    ...{ supplier: 'vllm', period: NOVEMBER.key, fileName: 'november.csv', source: month, by: 'clerk' },
    onProgress: ({ bytes, totalBytes, lines }) =>
      onProgress(`read ${Math.floor((100 * bytes) / totalBytes)} %, ${lines} lines`),
  })
  onProgress('match')
  const { id } = await settlement.match({ id: statement.id, by: 'clerk' })
  onProgress('compare')
  const complaints = await compare(world, id, month)
  if (statement.lines !== month.lines) complaints.push(`${statement.lines} lines were read of ${month.lines}`)
  for (const [kind, decision] of DECISIONS)
    await settlement.decide({ id, by: 'clerk', decision: { decision, class: kind, reason: 'the simulation says so' } })
  const { discrepancies } = await settlement.statement(id)
  onProgress('settle')
  await settlement.agree({ id, by: 'clerk' })
  const run = await settlement.plan({ statement: id, by: 'clerk' })
  await settlement.review({ id: run.id, by: 'chief' })
  await settlement.approve({ id: run.id, by: 'chief' })
  await settlement.post({ id: run.id, by: 'clerk' })
  const left = await accrued(database)
  if (left !== -month.leftPico) complaints.push(`2110 is ${left}, what was left to December is ${month.leftPico}`)
  const before = JSON.stringify(await balancesText(database))
  await settlement.post({ id: run.id, by: 'clerk' })
  if (JSON.stringify(await balancesText(database)) !== before) complaints.push('posting it again changed the books')
  await settlement.pay({ id: run.id, by: 'clerk', reference: 'bank-1' })
  onProgress('verify')
  const proof = await settlement.verify()
  complaints.push(...proof.checks.flatMap(({ disagreements }) => disagreements))
  return { complaints, classes: discrepancies.map(({ class: kind, state, count }) => `${kind} ${state} ${count}`) }
}

async function accrued(database: Database): Promise<bigint> {
  return (await balances(database, '2110:vllm'))[0]?.amountPico ?? 0n
}

async function balancesText(database: Database): Promise<string[]> {
  return (await balances(database)).map(({ account, amountPico }) => `${account} ${amountPico}`)
}
