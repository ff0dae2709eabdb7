import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Party } from '../model/division.ts'

export interface Share {
  readonly supplier: string
  readonly ppm: number
}

export async function putShares(tx: Transaction, packageId: string, shares: readonly Share[]): Promise<void> {
  await tx.rows(sql`delete from agreements.share where package = ${packageId}`)
  for (const { supplier, ppm } of shares)
    await tx.rows(
      sql`insert into agreements.share (package, supplier, ppm) values (${packageId}, ${supplier}, ${ppm}::integer)`,
    )
}

export async function selectShares(db: Queryable, packageId: string): Promise<Share[]> {
  return (await sharesOf(db, [packageId])).get(packageId) ?? []
}

/** By package, the largest first. */
export async function sharesOf(db: Queryable, packageIds: readonly string[]): Promise<ReadonlyMap<string, Share[]>> {
  const rows = await db.rows<Share & { readonly package: string }>(sql`
    select package, supplier, ppm from agreements.share
     where package = any(${packageIds}::text[]) order by package, ppm desc, supplier
  `)
  const found = new Map<string, Share[]>()
  for (const { package: id, supplier, ppm } of rows) found.set(id, [...(found.get(id) ?? []), { supplier, ppm }])
  return found
}

/** From now on order lots are divided by these shares, counted anew. */
export async function openEpoch(tx: Transaction, packageId: string, shares: readonly Share[]): Promise<void> {
  const [last] = await tx.rows<{ epoch: number | null }>(
    sql`select max(epoch) as epoch from agreements.division where package = ${packageId}`,
  )
  const epoch = (last?.epoch ?? 0) + 1
  for (const { supplier, ppm } of shares)
    await tx.rows(sql`
      insert into agreements.division (package, epoch, supplier, ppm) values (${packageId}, ${epoch}::integer, ${supplier}, ${ppm}::integer)
    `)
}

/** Those among whom lots are divided now. */
export async function partiesOf(db: Queryable, packageId: string): Promise<Party[]> {
  return db.rows(sql`
    select supplier, ppm, lots from agreements.division
     where package = ${packageId} and epoch = (select max(epoch) from agreements.division where package = ${packageId})
     order by supplier
  `)
}

export async function addLots(tx: Transaction, packageId: string, supplier: string, lots: number): Promise<void> {
  await tx.rows(sql`
    update agreements.division set lots = lots + ${lots}::integer
     where package = ${packageId} and supplier = ${supplier}
       and epoch = (select max(epoch) from agreements.division where package = ${packageId})
  `)
}

/** What was ordered of a package, by supplier: lots and amounts without tax. */
export async function orderedOf(
  db: Queryable,
  packageIds: readonly string[],
): Promise<{ package: string; supplier: string; lots: number; calledPico: bigint }[]> {
  const rows = await db.rows<{ package: string; supplier: string; lots: bigint; called: string }>(sql`
    select package, supplier, sum(lots) as lots, sum(amount) as called from agreements.call_off
     where package = any(${packageIds}::text[]) and state not in ('draft', 'terminated') group by 1, 2 order by 1, 2
  `)
  return rows.map(({ lots, called, ...row }) => ({
    ...row,
    lots: Number(lots),
    calledPico: integerFromNumeric(called),
  }))
}
