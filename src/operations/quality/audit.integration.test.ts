import { afterAll, beforeAll, expect, test } from 'vitest'
import { script } from '#platform/postgres'
import { honestRequests, inflatedRequests } from '../../../sim/audit/suppliers.ts'
import { qualityStage } from '../../../test/quality.ts'
import type { QualityStage } from '../../../test/quality.ts'
import { betOnMean, deviationOf, logWealth } from './audit/model/e-process.ts'
import type { TokenClaim } from './audit/model/stream.ts'

let stage: QualityStage
beforeAll(async () => {
  stage = await qualityStage()
})
afterAll(() => stage[Symbol.asyncDispose]())

/** A record of a supplier whose claim for the output is this. */
function claimed(supplier: string, { reported, counted }: TokenClaim) {
  const tokens = { uncachedInput: 60, cacheWrite: 0, cacheRead: 0, output: reported, reasoning: 0 }
  const attempts = [{ supplier, model: 'babbler', outcome: 'served', status: 200, startMs: 0, endMs: 9 } as const]
  return {
    supplier,
    tokens,
    attempts,
    reported: tokens,
    counted: { input: 60, output: counted, method: 'tiktoken:o200k_base' },
  }
}

const take = (claims: Iterable<TokenClaim>, count: number): TokenClaim[] => {
  const taken: TokenClaim[] = []
  for (const claim of claims) if (taken.push(claim) === count) break
  return taken
}

test('the supplier that adds 2 % is flagged within 700 requests, the honest one beside it is not; reading again changes nothing', async () => {
  const liar = take(inflatedRequests({ seed: 3, percent: 2 }), 700)
  const honest = take(honestRequests({ seed: 4 }), 700)
  await stage.deliver(liar.flatMap((claim, at) => [claimed('liar', claim), claimed('honest', honest[at] ?? claim)]))
  // Many at once: whoever has the mark reads, the others find nothing left.
  const read = await Promise.all([stage.quality.digest(), stage.quality.digest(), stage.quality.digest()])
  expect(read.reduce((sum, { records }) => sum + records, 0)).toBe(1400)
  const cases = await stage.quality.cases({})
  expect(cases.map(({ supplier, side, state }) => [supplier, side, state])).toEqual([['liar', 'output', 'flagged']])
  const before = await stage.quality.audits({})
  expect(before.map(({ supplier, side, seen }) => [supplier, side, seen])).toEqual([
    ['honest', 'output', 700],
    ['liar', 'output', 700],
  ])
  expect(await stage.quality.digest()).toEqual({ records: 0 })
  expect(await stage.quality.audits({})).toEqual(before)
  expect(await stage.quality.scores()).toEqual([{ supplier: 'liar', model: 'babbler', scorePpm: 600_000 }])
})

test('the evidence of a case is enough to compute the test again, from nothing but its CSV', async () => {
  const [flagged] = await stage.quality.cases({ supplier: 'liar' })
  if (!flagged) throw new Error('no case')
  let csv = ''
  for await (const part of await stage.quality.evidence(flagged.id)) csv += part
  const [head, ...lines] = csv
    .trim()
    .split('\n')
    .map((line) => line.split(','))
  const column = (name: string) => head?.indexOf(name) ?? -1
  expect(lines).toHaveLength(700)
  let wealth: readonly number[] = [0, 0, 0, 0, 0]
  for (const line of lines) {
    const [reported, counted] = [Number(line[column('reported_tokens')]), Number(line[column('counted_tokens')])]
    wealth = betOnMean(wealth, deviationOf({ reported, counted, fixedTokens: 0 }), 0.001)
    expect(Number(line[column('log10_e_mean')])).toBeCloseTo(logWealth(wealth) / Math.LN10, 5)
  }
  const [stream] = await stage.quality.audits({ supplier: 'liar' })
  expect(logWealth(stream?.meanWealth ?? [])).toBeCloseTo(logWealth(wealth), 6)
})

test('settlement pays a flagged supplier on our count within tolerance, an honest one on its claim', async () => {
  const range = { model: 'babbler', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }
  const basis = await stage.quality.claimBasis({ supplier: 'liar', ...range })
  const claims = take(inflatedRequests({ seed: 3, percent: 2 }), 700)
  const reported = claims.reduce((sum, claim) => sum + claim.reported, 0)
  const payable = claims.reduce(
    (sum, claim) =>
      sum + Math.min(claim.reported, claim.counted + Math.max(4, Math.floor((claim.counted * 5000) / 1e6))),
    0,
  )
  expect(basis).toMatchObject({
    payOn: 'counted',
    sides: [{ side: 'output', requests: 700, payablePpm: Math.floor((payable * 1e6) / reported) }],
  })
  expect(await stage.quality.claimBasis({ supplier: 'honest', ...range })).toEqual({ payOn: 'claim' })
})

test('a case needs two people to be upheld, begins the tests anew when it ends, and keeps who decided why', async () => {
  const { quality } = stage
  const [flagged] = await quality.cases({ supplier: 'liar' })
  const id = flagged?.id ?? ''
  const said = { by: 'ann', reason: 'it is 2 % above our count' }
  await expect(quality.decideCase(id, 'upheld', said)).rejects.toMatchObject({ type: { code: 'illegal_transition' } })
  await expect(quality.decideCase('case_none', 'disputed', said)).rejects.toMatchObject({
    type: { code: 'unknown_case' },
  })
  await quality.decideCase(id, 'disputed', said)
  await quality.answerCase(id, { by: 'liar ops', reason: 'our tokenizer is newer' })
  await expect(quality.decideCase(id, 'upheld', said)).rejects.toMatchObject({ type: { code: 'same_person' } })
  await quality.decideCase(id, 'upheld', { by: 'bob', reason: 'agreed with ann' })
  expect((await quality.scores())[0]?.scorePpm).toBe(300_000)
  // Upheld: settlement is told what the claims were above count and tolerance, at the price of output, down to a whole fen.
  const excess = take(inflatedRequests({ seed: 3, percent: 2 }), 700).reduce((sum, { reported, counted }) => {
    const payable = counted + Math.max(4, Math.floor((counted * 5000) / 1e6))
    return sum + Math.max(0, reported - payable)
  }, 0)
  const fen = 10_000_000_000n
  const expected = ((BigInt(excess) * 5_000_000n) / fen) * fen
  expect(expected).toBeGreaterThan(0n)
  expect(await quality.penaltiesOf({ supplier: 'liar', period: '2026-11' })).toMatchObject([
    { id: `audit-${id}-2026-11`, kind: 'audit', amountPico: expected, evidence: id },
  ])
  expect(await quality.penaltiesOf({ supplier: 'honest', period: '2026-11' })).toEqual([])
  await quality.decideCase(id, 'closed', { by: 'bob', reason: 'they mended it' })
  const { events } = await quality.case(id)
  expect(events.map(({ what, by }) => [what, by])).toEqual([
    ['flagged', 'tokenfactory'],
    ['disputed', 'ann'],
    ['answered', 'liar ops'],
    ['upheld', 'bob'],
    ['closed', 'bob'],
  ])
  const [stream] = await quality.audits({ supplier: 'liar' })
  expect(stream).toMatchObject({ epoch: 2, seen: 0 })
  expect(await quality.scores()).toEqual([])
  await stage.deliver(take(honestRequests({ seed: 9 }), 150).map((claim) => claimed('liar', claim)))
  await quality.digest()
  expect((await quality.audits({ supplier: 'liar' }))[0]).toMatchObject({ epoch: 2, seen: 150 })
  expect(await quality.scores()).toEqual([])
})

test('what an operator calls honest holds from then on: an end marker on each request is no inflation', async () => {
  const { quality } = stage
  const marked = () =>
    take(honestRequests({ seed: 5 }), 400).map((claim) => claimed('marks', { ...claim, reported: claim.reported + 3 }))
  await stage.deliver(marked())
  await quality.digest()
  expect(await quality.cases({ supplier: 'marks' })).toHaveLength(1)
  const key = { supplier: 'marks', model: 'babbler', side: 'output' } as const
  const settings = { tauPpm: 1000, fixedTokens: 3, excessPpm: 5000, slack: { tokens: 4, ppm: 5000 } }
  await quality.decideSettings(key, settings, { by: 'ann', reason: 'three markers, seen in 400 requests' })
  await stage.deliver(marked())
  await quality.digest()
  expect(await quality.audits({ supplier: 'marks' })).toMatchObject([{ epoch: 2, seen: 400, settings }])
  expect(await quality.cases({ supplier: 'marks' })).toHaveLength(1)
})

test('what is no fair comparison is left out: estimates, broken answers, answers of two suppliers, and prompts of unknown templates', async () => {
  const claim = claimed('mixed', { reported: 500, counted: 100 })
  const served = { supplier: 'mixed', model: 'babbler', outcome: 'served', status: 200, startMs: 0, endMs: 9 } as const
  await stage.deliver([
    { ...claim, counted: { input: 60, output: 100, method: 'estimate:bytes/4' } },
    { ...claim, ending: 'failed' },
    { ...claim, counted: null },
    {
      ...claim,
      attempts: [
        { ...served, outcome: 'cut' },
        { ...served, role: 'continuation' },
      ],
    },
    { ...claim, counted: { input: 60, output: 100, method: 'gguf:babbler' } },
  ])
  await stage.quality.digest()
  expect((await stage.quality.audits({ supplier: 'mixed' })).map(({ side, seen }) => [side, seen])).toEqual([
    ['input', 1],
    ['output', 1],
  ])
})

test('facts, settings and decisions never change', async () => {
  for (const table of ['audit_fact', 'audit_setting', 'event'])
    await expect(stage.database.rows(script(`delete from quality.${table}`))).rejects.toThrow('append-only')
})
