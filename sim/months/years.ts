import { sql } from '#platform/postgres'
import { TENANTS } from './market.ts'
import { liveMonth, monthAt } from './month.ts'
import type { Ledger } from './month.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

export interface Years {
  readonly complaints: readonly string[]
  readonly requests: number
  readonly documents: number
  readonly postings: number
}

/** Lives through so many months from January 2026 on, proving the books every `verifyEvery` months and at the end. */
export async function liveThrough(
  months: number,
  { verifyEvery, onMonth }: { verifyEvery: number; onMonth?: (month: string) => void },
): Promise<Years> {
  await using world = await openWorld()
  const ledger: Ledger = { served: [], complaints: [], plan: undefined }
  await world.declare(2026)
  for (let index = 0; index < months; index++) {
    await liveMonth(world, ledger, index)
    if ((index + 1) % verifyEvery === 0 || index + 1 === months) await prove(world, ledger, monthAt(index))
    onMonth?.(monthAt(index))
    if (ledger.complaints.length > 20) break
  }
  for (const tenant of TENANTS) await compare(world, ledger, tenant)
  const [counts] = await world.database.rows<{ postings: bigint; documents: bigint }>(sql`
    select (select count(*) from ledger.posting) as postings, (select count(*) from billing.document) as documents
  `)
  return {
    complaints: ledger.complaints,
    requests: ledger.served.length,
    documents: Number(counts?.documents),
    postings: Number(counts?.postings),
  }
}

async function prove(world: World, ledger: Ledger, month: string): Promise<void> {
  const books = await world.charging.verify(await world.catalogue.ratingSources())
  const documents = await world.billing.verify()
  for (const check of [...books.checks, ...documents.checks])
    if (!check.ok) ledger.complaints.push(`${month}: ${check.name}: ${check.disagreements.slice(0, 3).join('; ')}`)
}

/** What a tenant's clients were told in all these years is what the books say of it. */
async function compare(world: World, ledger: Ledger, tenant: string): Promise<void> {
  const told = ledger.served
    .filter((each) => each.tenant === tenant)
    .reduce((sum, { chargePico }) => sum + chargePico, 0n)
  const [row] = await world.database.rows<{ sold: string }>(sql`
    select coalesce(sum(sell), 0)::text as sold from charging.usage_record where tenant = ${tenant}
  `)
  if (BigInt(row?.sold ?? '-1') !== told)
    ledger.complaints.push(`${tenant} was told ${told} pico, the books say ${row?.sold ?? 'nothing'}`)
}
