import { expect } from 'vitest'
import type { Charging } from '#charging'
import { sheetById } from './sample-usage.ts'

export const YUAN = 10n ** 12n

/** The books pass every check, with every record rated again. */
export async function expectCoherent(charging: Charging): Promise<void> {
  const reply = await charging.verify({ sheetById })
  expect(reply.checks.filter((check) => !check.ok)).toEqual([])
  expect(reply.ok).toBe(true)
}

/** The journal of every gateway in tests that have one each. */
export const JOURNAL = 'journal-of-test'

/** A tenant with money, a gateway, and a slice of the size asked for. */
export async function openSlice(
  charging: Charging,
  { tenant, gateway, amount, journal = JOURNAL }: { tenant: string; gateway: string; amount: bigint; journal?: string },
): Promise<{ slice: string; epoch: number; gateway: string; tenant: string }> {
  await charging.topup({ tenant, amountPico: amount * 2n, reference: `pay-${tenant}-${gateway}` })
  const { epoch } = await charging.register({ gateway, journal })
  const request = { gateway, epoch, seq: 1, bucket: `wallet:${tenant}`, min: `${amount}`, want: `${amount}` }
  const reply = await charging.grant(request)
  if (reply.outcome !== 'granted') throw new Error(reply.outcome)
  return { slice: reply.slice.id, epoch, gateway, tenant }
}
