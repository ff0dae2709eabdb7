import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redo } from '../corrections/model.ts'
import type { Standing } from '../corrections/model.ts'
import { burnRecords, partsOf } from '../ingest/burn.ts'
import { sampleRecord } from '../../../../test/sample-usage.ts'
import { burn, burnOrder, openPurse, recognisedAt } from './model.ts'
import type { Lot } from './model.ts'

const anyLot = (bucket: string) =>
  fc
    .record({
      priority: fc.integer({ min: 0, max: 3 }),
      expiresAtMs: fc.option(fc.integer({ min: 1, max: 5 }), { nil: null }),
      validFromMs: fc.integer({ min: 0, max: 3 }),
      granted: fc.bigInt({ min: 1n, max: 1000n }),
      source: fc.constantFrom('paid', 'gift', 'sla', 'package'),
      net: fc.bigInt({ min: 0n, max: 10n ** 15n }),
    })
    .map((terms): Omit<Lot, 'id'> => ({ ...terms, bucket, remaining: terms.granted, recognised: 0n }))
const lotsOf = (bucket: string) =>
  fc
    .array(anyLot(bucket), { maxLength: 8 })
    .map((lots) => lots.map((lot, n): Lot => ({ ...lot, id: `lot_${bucket}_${n}` })))

const isValid = (lot: Lot, atMs: number) =>
  lot.validFromMs <= atMs && (lot.expiresAtMs === null || atMs < lot.expiresAtMs)

test('lots burn by priority, expiry and age; valid ones before others; and never more than there is', () => {
  fc.assert(
    fc.property(
      lotsOf('w'),
      fc.bigInt({ min: 0n, max: 6000n }),
      fc.integer({ min: 0, max: 6 }),
      (lots, amount, atMs) => {
        const pieces = burn(openPurse(lots), amount, atMs)
        const total = lots.reduce((sum, lot) => sum + lot.remaining, 0n)
        const burned = pieces.reduce((sum, piece) => sum + piece.amount, 0n)
        expect(burned).toBe(amount < total ? amount : total)
        const order = [...lots].sort((a, b) => Number(isValid(b, atMs)) - Number(isValid(a, atMs)) || burnOrder(a, b))
        expect(pieces.map(({ lot }) => lot.id)).toEqual(order.slice(0, pieces.length).map(({ id }) => id))
        // Only the last one may have something left.
        for (const { lot, amount: part } of pieces.slice(0, -1)) expect(part).toBe(lot.remaining)
      },
    ),
  )
})

test('a package is recognised to exactly its price when it is used up, in whatever steps, and never runs ahead', () => {
  const steps = fc.array(fc.bigInt({ min: 1n, max: 10n ** 9n }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(steps, fc.bigInt({ min: 0n, max: 10n ** 20n }), (parts, net) => {
      const granted = parts.reduce((sum, part) => sum + part, 0n)
      let [remaining, recognised] = [granted, 0n]
      for (const part of parts) {
        const step = recognisedAt({ net, granted }, remaining - part) - recognisedAt({ net, granted }, remaining)
        expect(step >= 0n).toBe(true)
        remaining -= part
        recognised += step
        const exact = net * (granted - remaining)
        const off = recognised * granted - exact
        expect((off < 0n ? -off : off) * 2n <= granted).toBe(true)
      }
      expect(recognised).toBe(net)
    }),
  )
})

test('records burn the same lots in total however they are cut into batches, and the parts are the price', () => {
  fc.assert(
    fc.property(
      lotsOf('wallet:acme'),
      fc.array(fc.bigInt({ min: 0n, max: 900n }), { maxLength: 12 }),
      fc.nat(),
      (lots, sells, cut) => {
        const money = lots.map(
          (lot) => ({ ...lot, source: lot.source === 'package' ? 'sla' : lot.source, net: 0n }) as const,
        )
        const records = sells.map((sell, n) =>
          sampleRecord(n, { sellPico: `${sell}`, taxPico: `${sell / 20n}`, holdPico: `${sell}`, completedAtMs: 2 }),
        )
        const batch = (some: readonly (typeof records)[number][], stock: readonly Lot[]) =>
          burnRecords(some, { lots: stock, available: new Map(), isReclaimed: () => false })
        const whole = batch(records, money)
        const split = records.length === 0 ? 0 : cut % records.length
        const first = batch(records.slice(0, split), money)
        const left = money.map((lot) => ({
          ...lot,
          remaining: lot.remaining + (first.moves.find(({ id }) => id === lot.id)?.remaining ?? 0n),
        }))
        const second = batch(
          records.slice(split),
          left.filter(({ remaining }) => remaining > 0n),
        )
        expect([...first.columns, ...second.columns]).toEqual(whole.columns)
        for (const [index, columns] of whole.columns.entries()) {
          const sell = sells[index] ?? 0n
          const burned = (columns.lotAmounts ?? []).reduce((sum, amount) => sum + amount, 0n)
          expect(burned + (columns.creditPico ?? 0n) + (columns.overrunPico ?? 0n)).toBe(sell)
          if (columns.giftPico === sell && sell > 0n) expect(columns.bookedTaxPico).toBe(0n)
          expect((columns.bookedTaxPico ?? 0n) <= sell / 20n).toBe(true)
        }
      },
    ),
  )
})

test('giving a request back restores every lot exactly, and so does rating it again and again and then giving it back', () => {
  fc.assert(
    fc.property(
      lotsOf('wallet:acme'),
      lotsOf('tokens:acme/std'),
      fc.array(fc.bigInt({ min: 0n, max: 4000n }), { minLength: 1, maxLength: 5 }),
      fc.bigInt({ min: 0n, max: 2000n }),
      (money, tokens, prices, units) => {
        const wallet = money.map((lot) => ({ ...lot, source: 'paid', net: 0n }) as const)
        const start = [...wallet, ...tokens]
        const inWallet = wallet.reduce((sum, lot) => sum + lot.remaining, 0n)
        const inTokens = tokens.reduce((sum, lot) => sum + lot.remaining, 0n)
        const due = (price: bigint) => (price < inWallet ? price : inWallet)
        const [first = 0n] = prices
        const moneyPieces = burn(openPurse(wallet), due(first), 2)
        const tokenPieces = burn(openPurse(tokens), units < inTokens ? units : inTokens, 2)
        const pieces = [...moneyPieces, ...tokenPieces]
        const parts = partsOf(moneyPieces, { sell: first, due: due(first), tax: 0n })
        let standing: Standing = {
          sellPico: first,
          taxPico: 0n,
          sellSheet: 's',
          drawsKept: true,
          burn: { lots: pieces.map(({ lot }) => lot.id), lotAmounts: pieces.map(({ amount }) => amount), ...parts },
        }
        const remaining = new Map(start.map((lot) => [lot.id, lot.remaining]))
        for (const { lot, amount } of pieces) remaining.set(lot.id, (remaining.get(lot.id) ?? 0n) - amount)
        for (const sellPico of [...prices.slice(1), -1n]) {
          const after = { sellPico: sellPico < 0n ? 0n : sellPico, taxPico: 0n, drawsKept: sellPico >= 0n }
          const lots = start.map((lot) => {
            const left = remaining.get(lot.id) ?? 0n
            return { ...lot, remaining: left, recognised: recognisedAt(lot, left) }
          })
          const taken = standing.sellPico - (standing.burn.overrunPico ?? 0n)
          const available = wallet.reduce((sum, lot) => sum + (remaining.get(lot.id) ?? 0n), taken)
          const again = redo(standing, after, { wallet: 'wallet:acme', lots, available, atMs: 2 })
          for (const { id, remaining: change } of again.moves) remaining.set(id, (remaining.get(id) ?? 0n) + change)
          for (const left of remaining.values()) expect(left >= 0n).toBe(true)
          expect((again.burn.overrunPico ?? 0n) + due(after.sellPico)).toBe(after.sellPico)
          standing = { ...standing, ...after, burn: again.burn }
        }
        expect([...remaining]).toEqual(start.map((lot) => [lot.id, lot.granted]))
      },
    ),
  )
})
