import { expect, test } from 'vitest'
import type { Draw, UsageRecord } from '#contract'
import { NO_TOKENS } from '#kernel'
import { balances } from '#ledger'
import { manualClock } from '#platform/clock'
import { JOURNAL, YUAN, expectCoherent } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import { START_MS, sampleRecord } from '../../../../test/sample-usage.ts'
import { createCharging } from '../index.ts'

/** A pseudo-random sequence that is the same in every run. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state % below
  }
}

test('eight workers on one hot wallet of many lots, with caps and tokens, duplicates, payments, fees and corrections, come to the totals of a model', async () => {
  await using own = await freshDatabase({ max: 16 })
  const clock = manualClock(START_MS)
  const charging = createCharging({ database: own, clock })
  const lots = 40
  for (let n = 0; n < lots; n++)
    await charging.topup({ tenant: 'hot', amountPico: 1_000_000_000n + BigInt(n), reference: `p${n}` })
  await charging.topup({ tenant: 'hot', amountPico: 200n * YUAN, reference: 'big' })
  await own.transaction(async (tx) => {
    await charging.lockAccounts(tx, [{ tenant: 'hot', tables: ['std'] }])
    await charging.putDefinition(tx, {
      id: 'cap:tenant/hot/day',
      tenant: 'hot',
      kind: 'cap',
      unit: 'CNY',
      period: 'day',
      amount: 1_000n * YUAN,
      validFromMs: 0,
      validToMs: null,
    })
    for (let n = 0; n < 10; n++) {
      await charging.grantLot(tx, {
        tenant: 'hot',
        unit: 'CNY',
        source: 'gift',
        amount: 700_000_001n,
        reference: `g${n}`,
        memo: 'gift',
      })
      await charging.grantLot(tx, {
        tenant: 'hot',
        unit: 'std',
        source: 'gift',
        amount: 9_000_000_000n,
        reference: `t${n}`,
        memo: 'tokens',
      })
    }
  })
  const day = new Date(START_MS + 8 * 3_600_000).toISOString().slice(0, 10)
  const cap = `cap:tenant/hot/day@${day}`
  const worker = async (index: number) => {
    const gateway = `hot-${index}`
    const next = dice(index + 1)
    const { epoch } = await charging.register({ gateway, journal: JOURNAL })
    const slices: string[] = []
    for (const [seq, [bucket, amount]] of (
      [
        ['wallet:hot', 4n * YUAN],
        [cap, 4n * YUAN],
        ['tokens:hot/std', 5_000_000_000n],
      ] as const
    ).entries()) {
      const reply = await charging.grant({ gateway, epoch, seq: seq + 1, bucket, min: `${amount}`, want: `${amount}` })
      if (reply.outcome !== 'granted') throw new Error(JSON.stringify(reply))
      slices.push(reply.slice.id)
    }
    const [wallet = '', capSlice = '', tokens = ''] = slices
    const records = Array.from({ length: 100 }, (_, n): UsageRecord => {
      const covered = { ...NO_TOKENS, uncachedInput: n % 3 === 0 ? 7 : 0 }
      const plain = sampleRecord(index * 1000 + n, { gateway, tenant: 'hot', slice: wallet, acceptedAtMs: START_MS })
      const draws: Draw[] = [
        {
          kind: 'cap',
          bucket: cap,
          slice: capSlice,
          held: plain.holdPico,
          amount: plain.sellPico,
          version: null,
          covered: null,
        },
      ]
      if (n % 3 > 0) return { ...plain, draws }
      const units = '7000000'
      const all = { ...plain.tokens, uncachedInput: plain.tokens.uncachedInput + 7 }
      const buyPico = `${BigInt(plain.buyPico) + 7n * 700_000n}`
      return {
        ...plain,
        tokens: all,
        buyPico,
        draws: [
          ...draws,
          {
            kind: 'tokens',
            bucket: 'tokens:hot/std',
            slice: tokens,
            held: units,
            amount: units,
            version: 'std@1',
            covered,
          },
        ],
      }
    })
    // Every record at least once, in shuffled batches that overlap.
    const shuffled = [...records, ...records.slice(0, 40)]
      .map((record) => ({ record, at: next(1_000_000) }))
      .toSorted((a, b) => a.at - b.at)
    const batches = Array.from({ length: 7 }, (_, n) =>
      shuffled.slice(n * 20, n * 20 + 20 + next(10)).map(({ record }) => record),
    )
    let accepted = 0
    await Promise.all([
      ...batches.map(async (batch) => {
        const reply = await charging.ingest({ gateway, records: batch })
        expect(reply.quarantined).toEqual([])
        accepted += reply.accepted
      }),
      charging.topup({ tenant: 'hot', amountPico: 11n, reference: `more-${index}` }),
      own.transaction((tx) =>
        charging.chargeFee(tx, {
          tenant: 'hot',
          amountPico: 1_000_003n,
          taxPercent: 6,
          reference: `fee-${index}`,
          memo: 'fee',
          revenue: 'other',
        }),
      ),
    ])
    expect(accepted).toBe(100)
    await charging.refundUsage({ usageId: records[3]?.id ?? '', by: 'ann', reason: 'test', reference: 'r' })
    for (const slice of slices)
      expect(await charging.close({ gateway, journal: JOURNAL, slice, records: slice === tokens ? 34 : 100 })).toEqual({
        outcome: 'closed',
      })
    return records
  }
  const groups = await Promise.all(Array.from({ length: 8 }, (_, index) => worker(index)))
  await expectCoherent(charging)
  const records = groups.flat()
  const sum = (some: readonly UsageRecord[]) => some.reduce((total, record) => total + BigInt(record.sellPico), 0n)
  const kept = sum(records) - sum(groups.flatMap((group) => group[3] ?? []))
  const paidIn = 200n * YUAN + BigInt(lots) * 1_000_000_000n + BigInt((lots * (lots - 1)) / 2) + 8n * 11n
  const gifts = 10n * 700_000_001n
  const units = 10n * 9_000_000_000n - 8n * 33n * 7_000_000n
  const drawn = sum(records)
  expect(await charging.balance('hot')).toMatchObject({
    postedPico: `${paidIn + gifts - kept - 8n * 1_000_003n}`,
    escrowedPico: '0',
    tokens: [{ table: 'std', posted: `${units}`, escrowed: '0' }],
  })
  expect((await charging.buckets({ tenant: 'hot' })).find(({ id }) => id === cap)).toMatchObject({
    posted: 1_000n * YUAN - drawn,
    escrowed: 0n,
  })
  const cost = records.reduce((total, record) => total + BigInt(record.buyPico), 0n)
  expect((await balances(own, '2110:')).reduce((total, { amountPico }) => total - amountPico, 0n)).toBe(cost)
}, 60_000)
