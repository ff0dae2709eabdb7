import { generateKeyPairSync } from 'node:crypto'
import { createCharging } from '#charging'
import type { Charging } from '#charging'
import type { UsageRecord } from '#contract'
import { parsePriceSheet } from '#kernel'
import { manualClock } from '#platform/clock'
import type { ManualClock } from '#platform/clock'
import { createQuality } from '#quality'
import type { Quality, QualityDeps } from '#quality'
import { YUAN, openSlice } from './charging.ts'
import { freshDatabase } from './database.ts'
import type { FreshDatabase } from './database.ts'
import { START_MS, sampleRecord, sheetById } from './sample-usage.ts'

/** For tests: quality on a database of its own, and records delivered as a gateway delivers them. */
export interface QualityStage extends AsyncDisposable {
  readonly database: FreshDatabase
  readonly clock: ManualClock
  readonly charging: Charging
  readonly quality: Quality
  /** Delivers the next records, each changed as told. */
  deliver(changes: readonly Partial<UsageRecord>[]): Promise<readonly UsageRecord[]>
}

/** A key of this run of the tests only. */
export const SIGNING_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const BATCH = 500

export async function qualityStage(more: Partial<QualityDeps> = {}): Promise<QualityStage> {
  const database = await freshDatabase()
  const clock = manualClock(START_MS)
  const charging = createCharging({ database, clock })
  const quality = createQuality({
    database,
    clock,
    money: charging,
    auditTermsOf: async () => undefined,
    supplierSlaOf: async () => undefined,
    signingKey: SIGNING_KEY,
    buyPrices:
      async () =>
      async ({ buySheet }) => {
        const sheet = await sheetById(buySheet)
        return sheet && parsePriceSheet(sheet).prices
      },
    ...more,
  })
  const slice = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: 1_000_000n * YUAN })
  let serial = 0
  return {
    database,
    clock,
    charging,
    quality,
    async deliver(changes) {
      const records = changes.map((change) => sampleRecord(++serial, { ...slice, ...change }))
      for (let at = 0; at < records.length; at += BATCH) {
        const reply = await charging.ingest({ gateway: 'gw-0', records: records.slice(at, at + BATCH) })
        if (reply.quarantined.length > 0) throw new Error(JSON.stringify(reply.quarantined[0]))
      }
      return records
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}
