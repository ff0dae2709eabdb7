import { expect, test } from 'vitest'
import { generateKeyPairSync } from 'node:crypto'
import { random } from '../../../../../sim/charging/random.ts'
import { acceptanceHtml } from '../html-report.ts'
import { flawOfReport, signReport } from '../sign.ts'
import { fullRate, poisson, readTrace } from './arrivals.ts'
import { compareIdentity } from './identity.ts'
import { judgeLoad } from './judge.ts'
import type { AcceptanceReport } from './report.ts'
import { percentile, variation, windowsOf } from './statistics.ts'
import type { Sample } from './statistics.ts'

const fractions = (seed: number) => {
  const { below } = random(seed)
  return () => below(2 ** 32) / 2 ** 32
}
const UNIT = {
  ttft: { percentilePpm: 950_000, atMostMs: 800 },
  tpot: { percentilePpm: 950_000, atMostMs: 50 },
  availabilityPpm: 990_000,
}
/** One request a second for 200 s. */
function samples(change: (at: number) => Partial<Sample> = () => ({})): Sample[] {
  return Array.from({ length: 200 }, (_, at) => ({
    ...{ atMs: at * 1000, endMs: at * 1000 + 900, ok: true, ttftMs: 300, tpotMs: 20 },
    ...{ inputTokens: 100, outputTokens: 50, askedTokens: 50, failure: null },
    ...change(at),
  }))
}
const failed = (all: readonly Sample[], fluctuationPpm = 200_000) =>
  judgeLoad(all, UNIT, { lengthMs: 200_000, fluctuationPpm })
    .judgements.filter(({ passed }) => !passed)
    .map(({ name }) => name)

test('golden: percentiles are nearest rank, variation is deviation over mean', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1)
  expect([percentile(hundred, 500_000), percentile(hundred, 990_000), percentile(hundred, 999_000)]).toEqual([
    50, 99, 100,
  ])
  expect(percentile([], 500_000)).toBeNull()
  expect(variation([80, 120])).toBeCloseTo(0.2, 12)
  expect(variation([5, 5, 5])).toBe(0)
  expect([variation([1]), variation([0, 0])]).toEqual([null, null])
})

test('what is as agreed passes; each breach is named, and nothing else', () => {
  expect(failed(samples())).toEqual([])
  // 11 of 200 first tokens are late: more than a twentieth; 10 are not.
  expect(failed(samples((at) => (at % 20 === 0 && at < 200 ? { ttftMs: 801 } : {})))).toEqual([])
  expect(failed(samples((at) => (at % 20 === 0 || at === 1 ? { ttftMs: 801 } : {})))).toEqual([
    'time to first token at 95 %',
  ])
  expect(failed(samples((at) => (at % 18 === 0 ? { tpotMs: 51 } : {})))).toEqual(['time per output token at 95 %'])
  const lost = { ok: false, ttftMs: null, tpotMs: null, outputTokens: 0, failure: 'status 500' }
  expect(failed(samples((at) => (at % 100 === 0 ? lost : {})))).toEqual([])
  expect(failed(samples((at) => (at % 60 === 0 ? lost : {})))).toEqual(['availability'])
  expect(failed(samples(() => ({ outputTokens: 47 })))).toEqual(['output of what was asked for'])
})

test('a supplier whose pace swings by more than a fifth is refused, one that swings less is not', () => {
  // Ten windows of 20 s: five at 20 ms and five at 30 ms per token are 50 and 33.3 tokens per second, a variation of exactly 0.2.
  const swing = (slowMs: number) => samples((at) => ({ tpotMs: Math.floor(at / 20) % 2 === 0 ? 20 : slowMs }))
  expect(variation([50, 100 / 3])).toBeCloseTo(0.2, 12)
  expect(failed(swing(29.9))).toEqual([])
  expect(failed(swing(30.1))).toEqual(['fluctuation of pace'])
  expect(failed(swing(30.1), 300_000)).toEqual([])
  expect(failed(samples((at) => ({ ttftMs: Math.floor(at / 20) % 2 === 0 ? 200 : 500 })))).toEqual([
    'fluctuation of the first token',
  ])
  // From 2 to 4 ms is a swing that nobody notices.
  expect(failed(samples((at) => ({ ttftMs: Math.floor(at / 20) % 2 === 0 ? 2 : 4 })))).toEqual([])
})

test('windows divide the test by when requests were sent', () => {
  const windows = windowsOf(samples(), 200_000, 10)
  expect(windows.map(({ requests }) => requests)).toEqual(Array(10).fill(20))
  expect(windows[0]).toMatchObject({ fromMs: 0, failures: 0, outputPerMinute: (20 * 50 * 60_000) / 20_000 })
})

test('arrivals: a Poisson process has its rate, units have theirs, a trace is read or its wrong line named', () => {
  const arrivals = poisson({ seconds: 6000, perMinute: 30, inputTokens: 10, outputTokens: 5 }, fractions(1))
  expect(Math.abs(arrivals.length - 3000)).toBeLessThan(4 * Math.sqrt(3000))
  const gaps = arrivals.slice(1).map(({ atMs }, at) => atMs - (arrivals[at]?.atMs ?? 0))
  expect(variation(gaps)).toBeGreaterThan(0.9)
  expect(variation(gaps)).toBeLessThan(1.1)
  const unit = { inputTokensPerMinute: 60_000, outputTokensPerMinute: 10_000 }
  expect(fullRate(unit, 3, { inputTokens: 1000, outputTokens: 200 })).toBe(150)
  expect(readTrace('offset_ms,input_tokens,output_tokens\n20,5,6\n10,3,4\n')).toEqual([
    { atMs: 10, inputTokens: 3, outputTokens: 4 },
    { atMs: 20, inputTokens: 5, outputTokens: 6 },
  ])
  expect(readTrace('offset,in,out\n1,2,3')).toEqual({ line: 1 })
  expect(readTrace('offset_ms,input_tokens,output_tokens\n1,2,3\n1,-2,3')).toEqual({ line: 3 })
  expect(readTrace('offset_ms,input_tokens,output_tokens\n1,0,3')).toEqual({ line: 2 })
})

test('identity: the same model is taken for itself in all but a thousandth of cases, another one is noticed', () => {
  const next = fractions(7)
  /** A model that says its favourite with some probability, else one of three others. */
  const model = (favourite: string, sure: number) =>
    Object.fromEntries(
      Array.from({ length: 16 }, (_, question) => [
        `q${question}`,
        Array.from({ length: 4 }, () => (next() < sure ? favourite : `w${Math.floor(next() * 3)}`)),
      ]),
    )
  const alarms = Array.from({ length: 8 }, () => compareIdentity(model('a', 0.7), model('a', 0.7), next)).filter(
    ({ isSame }) => !isSame,
  )
  expect(alarms).toHaveLength(0)
  expect(compareIdentity(model('a', 0.7), model('b', 0.7), next)).toMatchObject({ isSame: false })
  expect(compareIdentity(model('a', 1), model('a', 1), next)).toMatchObject({ distance: 0, pValue: 1, isSame: true })
  expect(compareIdentity({}, model('a', 1), next).isSame).toBe(false)
})

test('a signed report is genuine until one letter of it, of its hash, signature or key is another', () => {
  const pem = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signed = signReport('{"passed":false}', pem())
  expect(flawOfReport(signed)).toBeUndefined()
  expect(flawOfReport({ ...signed, report: '{"passed":true}' })).toMatch('the text')
  const other = signReport('{"passed":true}', pem())
  expect(flawOfReport({ ...other, signature: signed.signature })).toMatch('the signature')
  expect(flawOfReport({ ...signed, publicKey: other.publicKey })).toMatch('the signature')
  expect(flawOfReport({ ...signed, publicKey: 'none' })).toMatch('cannot be read')
})

test('a page escapes what a supplier said', () => {
  const load = judgeLoad(samples(), UNIT, { lengthMs: 200_000, fluctuationPpm: 200_000 })
  const report = {
    ...{
      callOff: 'cof_1',
      supplier: '<script>alert(1)</script>',
      model: 'm',
      baseUrl: 'http://x',
      units: 1,
      agreement: 'a',
    },
    unit: { ...UNIT, displayName: 'unit' },
    ...{ load, samples: samples(), identity: { firstWords: {}, comparedWith: null, result: null } },
    conformance: { results: [] },
    ...{ passed: true, startedAtMs: 0, endedAtMs: 1, runBy: 'ann', arrivals: 'poisson' },
  } as unknown as AcceptanceReport
  const text = acceptanceHtml(report, { report: '', hash: 'h', signature: 's', publicKey: 'k' })
  expect(text).not.toContain('<script>')
  expect(text).toContain('&lt;script&gt;')
  expect(text).toContain('<circle')
})
