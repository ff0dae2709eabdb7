import { createCharging } from '#charging'
import { sql } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import { sheetById } from '../../test/sample-usage.ts'
import { smallDay, weightsOf } from './script.ts'
import { openWorld } from './world.ts'
import type { Death } from './world.ts'

export interface Outcome {
  readonly complaints: readonly string[]
  readonly moments: { readonly 'control plane': number; readonly gateway: number }
  readonly deaths: number
  readonly records: number
}

/** Lives through the small day with one death in it, or none, and audits what is left: by `verify`, and by what was acknowledged. */
export async function liveThrough(database: Database, death?: Death): Promise<Outcome> {
  const world = openWorld(database, death)
  await smallDay(world)
  const { moments } = world
  const complaints: string[] = []
  const { checks } = await createCharging({ database, clock: world.clock }).verify({ sheetById, weights: weightsOf })
  for (const check of checks)
    if (!check.ok) complaints.push(`${check.name}: ${check.disagreements.join('; ') || 'saw nothing'}`)
  const booked = new Map(
    (
      await database.rows<{ id: string; sell: string; ending: string }>(
        sql`select id, sell, ending from charging.usage_record`,
      )
    ).map((row) => [row.id, row]),
  )
  for (const [id, record] of world.acknowledged) {
    const row = booked.get(id)
    if (!row) complaints.push(`${id} was acknowledged and is not booked`)
    else if (row.sell !== record.sellPico)
      complaints.push(`${id} was acknowledged at ${record.sellPico} and booked at ${row.sell}`)
  }
  for (const [id, row] of booked)
    if (!world.acknowledged.has(id) && row.ending !== 'interrupted' && row.sell !== '0' && death?.program !== 'gateway')
      complaints.push(`${id} is booked at ${row.sell} and nobody was told`)
  for (const id of world.opened()) if (!booked.has(id)) complaints.push(`${id} reached a client and has no record`)
  for (const row of await database.rows<{ id: string; escrowed: string }>(sql`
    select id, escrowed from charging.bucket where escrowed <> 0
  `))
    complaints.push(`${row.id} has ${row.escrowed} set aside for ever`)
  for (const row of await database.rows<{ reference: string; times: bigint }>(sql`
    select memo as reference, count(*) as times from ledger.posting where kind <> 'usage' group by memo, kind having count(*) > 1
  `))
    complaints.push(`${row.reference} was posted ${row.times} times`)
  if (death && world.deaths !== 1) complaints.push(`died ${world.deaths} times`)
  return { complaints, moments, deaths: world.deaths, records: booked.size }
}
