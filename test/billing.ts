import { hash } from 'node:crypto'
import { expect } from 'vitest'
import { createBilling } from '#billing'
import type { Billing, BillingOptions } from '#billing'
import { createCharging } from '#charging'
import type { Charging } from '#charging'
import type { UsageRecord } from '#contract'
import { manualClock } from '#platform/clock'
import { integerFromNumeric, script, sql } from '#platform/postgres'
import { JOURNAL, YUAN, expectCoherent } from './charging.ts'
import { freshDatabase } from './database.ts'
import { START_MS, sampleRecord, sheetById } from './sample-usage.ts'

/** For tests: 23 November 2026, 16:00 in China; the month that the samples are in. */
export const NOVEMBER_MS = START_MS

export const SELLER = {
  name: '示例电信股份有限公司',
  uscc: '9164010035A1B2C3DH',
  address: '宁夏银川市金凤区正源北街 28 号',
  phone: '0951-1234567',
  bank: '示例银行银川分行',
  bankAccount: '2902012345678901234',
  email: 'billing@example.cn',
  termsDays: 30,
}

export type BillingFixture = Awaited<ReturnType<typeof billingFixture>>

interface Slice {
  readonly slice: string
  readonly tenant: string
}

/** Billing over real charging on a database of its own. */
export async function billingFixture() {
  const database = await freshDatabase()
  const clock = manualClock(NOVEMBER_MS + 3_600_000)
  const charging = createCharging({ database, clock })
  const billingWith = (change: Partial<BillingOptions>): Billing =>
    createBilling({
      ...{ database, clock, charging, sheetById },
      calendars: async () => new Map(),
      tenantName: async (tenant) => `Tenant ${tenant}`,
      ...change,
    })
  const billing = billingWith({})
  await billing.setSeller(SELLER, 'test')
  const { epoch } = await charging.register({ gateway: 'gw-0', journal: JOURNAL })
  let seq = 0
  const sliceOf = async (tenant: string, yuan: bigint): Promise<Slice> => {
    const amount = `${yuan * YUAN}`
    const reply = await charging.grant({
      gateway: 'gw-0',
      epoch,
      seq: ++seq,
      bucket: `wallet:${tenant}`,
      min: amount,
      want: amount,
    })
    if (reply.outcome !== 'granted') throw new Error(reply.outcome)
    return { slice: reply.slice.id, tenant }
  }
  return {
    ...{ database, clock, charging, billing, billingWith },
    async prepaid(tenant: string, yuan: bigint): Promise<Slice> {
      await charging.topup({ tenant, amountPico: yuan * YUAN, reference: `pay-${tenant}` })
      return sliceOf(tenant, yuan)
    },
    /** A tenant that has paid nothing and has credit for twice the amount; the slice is half of it. */
    async postpaid(tenant: string, yuan: bigint): Promise<Slice> {
      await database.transaction((tx) => charging.openAccount(tx, { tenant, creditLimitPico: 2n * yuan * YUAN }))
      return sliceOf(tenant, yuan)
    },
    async spentOf(tenant: string): Promise<{ credit: bigint }> {
      const [row] = await database.rows<{ credit: string }>(
        sql`select coalesce(sum(credit), 0) as credit from charging.usage_record where tenant = ${tenant}`,
      )
      return { credit: integerFromNumeric(row?.credit ?? '0') }
    },
    /** What nobody may do: changes the database behind everybody's back. */
    async corrupt(text: string): Promise<void> {
      await database.rows(script(text))
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** Whole answers of one tenant, whose ids are the same in every call. */
export function recordsIn(count: number, fromMs: number, { slice, tenant }: Slice): UsageRecord[] {
  const family = BigInt(`0x${hash('sha256', tenant, 'hex').slice(0, 12)}`)
  return Array.from({ length: count }, (_, n) => {
    const record = sampleRecord(n, { slice, tenant })
    const id = `req_${family.toString().padStart(15, '0')}${n.toString().padStart(11, '0')}`
    const acceptedAtMs = fromMs + n * 37
    return { ...record, id, acceptedAtMs, completedAtMs: acceptedAtMs + 1_200 }
  })
}

/** The books and the documents pass every check. */
export async function expectDocumentsCoherent({
  charging,
  billing,
}: {
  charging: Charging
  billing: Billing
}): Promise<void> {
  await expectCoherent(charging)
  expect((await billing.verify()).checks.filter((check) => !check.ok)).toEqual([])
}
