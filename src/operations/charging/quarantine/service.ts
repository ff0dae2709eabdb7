import { UsageRecord } from '#contract'
import type { QuarantineView } from '#contract'
import type { Clock } from '#platform/clock'
import type { Database, Queryable } from '#platform/postgres'
import { ingest } from '../ingest/service.ts'
import { quarantineDecided, unknownQuarantined } from '../problems.ts'
import { dismissQuarantined, findQuarantined, noteRetried, openQuarantine } from './store.ts'
import type { QuarantinedRow } from './store.ts'

interface Deps {
  readonly database: Database
  readonly clock: Clock
}

export async function quarantine(db: Queryable, limit: number): Promise<QuarantineView[]> {
  return (await openQuarantine(db, limit)).map(toView)
}

/**
 * Delivers the stored text once more, the way that every record takes: it is posted once however often this is repeated, and stays
 * in quarantine, with its reason of now, while it breaks an invariant.
 */
export async function retry(deps: Deps, { id, by }: { id: string; by: string }): Promise<QuarantineView> {
  const { database, clock } = deps
  const row = await required(database, id)
  if (row.state === 'dismissed') throw quarantineDecided({ id: row.contentHash, state: row.state })
  const record = row.state === 'open' ? recordIn(row.text) : undefined
  if (record) {
    const { quarantined } = await ingest(deps, { gateway: row.gateway, records: [record] })
    if (quarantined.length === 0)
      await noteRetried(database, { contentHash: row.contentHash, by, nowMs: clock.nowMs() })
  }
  return toView(await required(database, row.contentHash))
}

/** Ends a record unposted, for ever: delivered again it is neither posted nor kept aside anew. */
export async function dismiss(
  { database, clock }: Deps,
  { id, by, reason }: { id: string; by: string; reason: string },
): Promise<QuarantineView> {
  const { contentHash } = await required(database, id)
  await dismissQuarantined(database, { contentHash, by, reason, nowMs: clock.nowMs() })
  const row = await required(database, contentHash)
  if (row.state !== 'dismissed') throw quarantineDecided({ id: contentHash, state: row.state })
  return toView(row)
}

async function required(db: Queryable, id: string): Promise<QuarantinedRow> {
  const row = await findQuarantined(db, id)
  if (!row) throw unknownQuarantined({ id })
  return row
}

function recordIn(text: string): UsageRecord | undefined {
  try {
    return UsageRecord.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function toView({ contentHash, id, ...row }: QuarantinedRow): QuarantineView {
  return { id: contentHash, record: id, ...row }
}
