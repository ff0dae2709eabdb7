import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PICO_PER_FEN, PICO_PER_YUAN, netOfTax, pico } from '#kernel'
import { balanced } from '#ledger'
import { allocate } from './model/allocate.ts'
import { chineseAmount } from './model/chinese-amount.ts'
import { formatFen, parseFen } from './model/fen.ts'
import { NOTHING, amountsOf, isResidue, nextLine, sortLines, totalsOf } from './model/lines.ts'
import type { Charge, ChargeSums } from './model/lines.ts'
import { documentNumber } from './model/number.ts'
import { leftOf } from './model/left.ts'
import { creditEntries, issueEntries, paymentEntries } from './model/postings.ts'
import { DOCUMENT_STATES, dunningStage, isIssued, mayBecome, settlementState } from './model/states.ts'

const charge: Charge = {
  id: 'usage:acme/2026-11/babbler/s1/6',
  tenant: 'acme',
  kind: 'usage',
  period: '2026-11',
  description: 'babbler',
  service: 'babbler',
  sheet: 's1',
  taxPercent: 6,
}

/** Requests as they are posted: each split into net and tax by itself. */
function sumsOf(
  requests: readonly { readonly pico: bigint; readonly onCredit: boolean }[],
  taxPercent: number,
): ChargeSums {
  return requests.reduce<ChargeSums>(
    (sum, { pico: amount, onCredit }) => ({
      grossPico: sum.grossPico + amount,
      creditPico: sum.creditPico + (onCredit ? amount : 0n),
      taxPico: sum.taxPico + amount - netOfTax(pico(amount), taxPercent),
      requests: sum.requests + 1,
      tokens: sum.tokens + 1n,
    }),
    NOTHING,
  )
}

const requestsArbitrary = fc.array(
  fc.record({ pico: fc.bigInt({ min: 0n, max: 10n ** 15n }), onCredit: fc.boolean() }),
  { maxLength: 40 },
)
const taxArbitrary = fc.constantFrom(0, 1, 3, 6, 9, 13)

test('the tender of 16,451,000,000.00 without tax is invoiced at 17,438,060,000.00 with 6 % (vector 1)', () => {
  const grossPico = (16_451_000_000n * PICO_PER_YUAN * 106n) / 100n
  const line = nextLine(
    charge,
    { ...NOTHING, grossPico, creditPico: grossPico, taxPico: grossPico - netOfTax(pico(grossPico), 6) },
    undefined,
  )
  expect(line && [line.grossFen, line.netFen, line.taxFen, line.dueFen].map(formatFen)).toEqual([
    '17438060000.00',
    '16451000000.00',
    '987060000.00',
    '17438060000.00',
  ])
  expect(chineseAmount(line?.grossFen ?? 0n)).toBe('壹佰柒拾肆亿叁仟捌佰零陆万元整')
})

test('however a charge is cut into documents, they say its rounded sum, and rounding explains every difference (I11)', () => {
  fc.assert(
    fc.property(fc.array(requestsArbitrary, { minLength: 1, maxLength: 8 }), taxArbitrary, (steps, taxPercent) => {
      const own = { ...charge, taxPercent }
      let billed: { revision: number; sums: ChargeSums } | undefined
      const lines = []
      for (let count = 1; count <= steps.length; count++) {
        const now = sumsOf(steps.slice(0, count).flat(), taxPercent)
        const line = nextLine(own, now, billed)
        if (!line) continue
        billed = { revision: line.revision, sums: line.to }
        lines.push(line)
        expect(isResidue(line.to, taxPercent)).toBe(true)
        expect(line.netFen + line.taxFen).toBe(line.grossFen)
      }
      const all = sumsOf(steps.flat(), taxPercent)
      expect(totalsOf(lines)).toEqual(amountsOf(all, taxPercent))
      expect(lines.map((line) => line.revision)).toEqual(lines.map((_, index) => index + 1))
      const { grossFen, dueFen } = totalsOf(lines)
      expect(dueFen).toBeLessThanOrEqual(grossFen)
      expect(2n * (grossFen * PICO_PER_FEN - all.grossPico)).toBeLessThanOrEqual(PICO_PER_FEN)
      expect(2n * (all.grossPico - grossFen * PICO_PER_FEN)).toBeLessThanOrEqual(PICO_PER_FEN)
    }),
  )
})

test('billing again what was billed gives no line (I16), and a correction gives the exact way back', () => {
  fc.assert(
    fc.property(requestsArbitrary, requestsArbitrary, taxArbitrary, (first, second, taxPercent) => {
      const own = { ...charge, taxPercent }
      const [a, b] = [sumsOf(first, taxPercent), sumsOf([...first, ...second], taxPercent)]
      const up = nextLine(own, b, { revision: 1, sums: a })
      const down = nextLine(own, a, { revision: 2, sums: b })
      expect(nextLine(own, a, { revision: 1, sums: a })).toBeUndefined()
      if (!up || !down) return
      expect(totalsOf([up, down])).toEqual({ grossFen: 0n, netFen: 0n, taxFen: 0n, dueFen: 0n })
      expect(sortLines([down, up])).toEqual({ billed: [up], credited: [down] })
    }),
  )
})

test('what is taken back of a charge is taken back once, from what was billed last', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 50n }), { maxLength: 12 }), (sums) => {
      const steps = sums.map((sum, index) => ({
        document: `d${index}`,
        position: 1,
        charge: 'c',
        revision: index + 1,
        grossFen: sum - (sums[index - 1] ?? 0n),
        dueFen: 0n,
      }))
      const left = [...leftOf(steps).values()].map(({ grossFen }) => grossFen)
      expect(left.reduce((total, fen) => total + fen, 0n)).toBe(sums.at(-1) ?? 0n)
      expect(left.every((fen) => fen >= 0n)).toBe(true)
    }),
  )
  const step = (revision: number, dueFen: bigint) => ({
    ...{ document: `d${revision}`, position: 1, charge: 'c', revision, dueFen },
    grossFen: dueFen,
  })
  const left = leftOf([step(1, 100n), step(2, 5n), step(3, -7n)])
  expect([left.get('d1#1')?.dueFen, left.get('d2#1')?.dueFen]).toEqual([98n, 0n])
})

test('more than rounding is no residue', () => {
  const sums = sumsOf([{ pico: 123_456_789_012_345n, onCredit: true }], 6)
  expect(isResidue(sums, 6)).toBe(true)
  expect(isResidue({ ...sums, taxPico: sums.taxPico + PICO_PER_FEN }, 6)).toBe(false)
  expect(isResidue(sums, 9)).toBe(false)
})

test('what is posted for documents sums to zero, and what is left in 5020 is less than a fen per line', () => {
  fc.assert(
    fc.property(fc.array(requestsArbitrary, { maxLength: 6 }), taxArbitrary, (charges, taxPercent) => {
      const lines = charges.flatMap((requests, index) => {
        const line = nextLine({ ...charge, id: `${index}`, taxPercent }, sumsOf(requests, taxPercent), undefined)
        return line ? [line] : []
      })
      const entries = balanced(issueEntries('acme', lines))
      const rest = entries.find((entry) => entry.account === '5020')?.amountPico ?? 0n
      const bound = BigInt(lines.length) * 2n * PICO_PER_FEN
      expect(rest <= bound && -rest <= bound).toBe(true)
    }),
  )
  balanced(creditEntries('acme', { netFen: 100n, taxFen: 6n }))
  balanced(paymentEntries('acme', 106n))
})

test('amounts in Chinese characters', () => {
  const cases: Readonly<Record<string, string>> = {
    '0.00': '零元整',
    '0.01': '壹分',
    '0.10': '壹角整',
    '1.00': '壹元整',
    '1.05': '壹元零伍分',
    '10.50': '壹拾元伍角整',
    '107000.53': '壹拾万柒仟元伍角叁分',
    '16409.02': '壹万陆仟肆佰零玖元零贰分',
    '325.04': '叁佰贰拾伍元零肆分',
    '1409.50': '壹仟肆佰零玖元伍角整',
    '6007.14': '陆仟零柒元壹角肆分',
    '1000000.00': '壹佰万元整',
    '100000001.00': '壹亿零壹元整',
    '17438060000.00': '壹佰柒拾肆亿叁仟捌佰零陆万元整',
    '1000000000000.00': '壹万亿元整',
    '1000100000000.00': '壹万零壹亿元整',
    '-1.20': '负壹元贰角整',
  }
  for (const [amount, text] of Object.entries(cases)) expect(chineseAmount(parseFen(amount))).toBe(text)
})

test('an amount in Chinese characters reads back as the amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), (fen) => {
      expect(readChinese(chineseAmount(fen))).toBe(fen)
    }),
  )
})

/** An independent reader: digits and units, no rule of the writer is shared. */
function readChinese(text: string): bigint {
  const digits = '零壹贰叁肆伍陆柒捌玖'
  const [whole = '', rest = ''] = text.includes('元')
    ? text.replace('整', '').split('元')
    : ['', text.replace('整', '')]
  const part = (source: string, unit: string) =>
    BigInt(Math.max(0, digits.indexOf(source[source.indexOf(unit) - 1] ?? '零')))
  const small = (source: string): bigint => {
    let sum = 0n
    let digit = 0n
    for (const sign of source) {
      if (digits.includes(sign)) digit = BigInt(digits.indexOf(sign))
      else {
        sum += digit * 10n ** BigInt('个拾佰仟'.indexOf(sign))
        digit = 0n
      }
    }
    return sum + digit
  }
  const upToWan = (source: string): bigint => {
    const at = source.indexOf('万')
    return at < 0 ? small(source) : small(source.slice(0, at)) * 10_000n + small(source.slice(at + 1))
  }
  const at = whole.indexOf('亿')
  const yuan = at < 0 ? upToWan(whole) : upToWan(whole.slice(0, at)) * 100_000_000n + upToWan(whole.slice(at + 1))
  return yuan * 100n + part(rest, '角') * 10n + part(rest, '分')
}

test('fen are written and read without a float', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), (fen) => {
      expect(parseFen(formatFen(fen))).toBe(fen)
    }),
  )
  for (const wrong of ['', '1.234', '1e3', '+1', ' 1', '1,000', '.5']) expect(() => parseFen(wrong)).toThrow(RangeError)
})

test('whatever is asked of a document, it only takes legal steps and an issued one never goes back (I15)', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...DOCUMENT_STATES), { maxLength: 30 }), (wishes) => {
      let state: (typeof DOCUMENT_STATES)[number] = 'new'
      for (const wish of wishes) {
        if (!mayBecome(state, wish)) continue
        if (isIssued(state)) expect(isIssued(wish)).toBe(true)
        state = wish
      }
      expect(mayBecome('settled', state)).toBe(false)
    }),
  )
  expect([
    settlementState(100n, 0n),
    settlementState(100n, 1n),
    settlementState(100n, 100n),
    settlementState(0n, 0n),
  ]).toEqual(['sent', 'partiallyPaid', 'settled', 'settled'])
})

test('money pays documents one after the other, and all of it is accounted for (I12)', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10_000n }),
      fc.array(fc.bigInt({ min: -10n, max: 3_000n }), { maxLength: 8 }),
      (fen, open) => {
        const documents = open.map((openFen, index) => ({ id: `${index}`, openFen }))
        const { parts, restFen } = allocate(fen, documents)
        expect(parts.reduce((sum, part) => sum + part.fen, restFen)).toBe(fen)
        for (const part of parts) expect(part.fen).toBeLessThanOrEqual(open[Number(part.document)] ?? 0n)
        if (restFen > 0n)
          expect(parts.reduce((sum, part) => sum + part.fen, 0n)).toBe(
            open.filter((each) => each > 0n).reduce((a, b) => a + b, 0n),
          )
      },
    ),
  )
})

test('dunning goes by days past the due date', () => {
  const day = 86_400_000
  expect([-1, 0, 1, 14, 15, 29, 30, 400].map((days) => dunningStage(0, days * day))).toEqual([
    'none',
    'none',
    'reminded',
    'reminded',
    'warned',
    'warned',
    'final',
    'final',
  ])
})

test('numbers sort as they are given', () => {
  expect(documentNumber('INV', 2026, 7)).toBe('INV-2026-000007')
})
