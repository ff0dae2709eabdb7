import { expect, it } from 'vitest'
import { compare } from './comparison.ts'
import { policyOf } from './policies/index.ts'
import { reportHtml } from './report-html.ts'
import { CLAIMS } from './reproduce/index.ts'
import { scenarioOf } from './scenarios.ts'
import { estimate, pairedDifference } from './statistics.ts'
import { synthetic } from './synthetic.ts'
import { differences, table } from './table.ts'

const comparison = () =>
  compare({
    scenario: scenarioOf('incidents'),
    workloadOf: (seed) => synthetic(seed, { count: 400 }),
    shape: {},
    policies: ['ours', 'p2c'].map(policyOf),
    seeds: 2,
  })

it('tells every policy’s figures in the table and the page, the same whenever it is run', () => {
  const [one, other] = [comparison(), comparison()]
  expect(table(one)).toBe(table(other))
  const html = reportHtml([one], 'npm run sim')
  expect(html).toBe(reportHtml([other], 'npm run sim'))
  expect(html).not.toMatch(/NaN|Infinity|undefined/)
  for (const title of ['ours', 'P2C peak-EWMA']) {
    expect(table(one)).toContain(title)
    expect(html).toContain(title)
  }
  expect(html.match(/<svg/g)).toHaveLength(4)
  expect(differences(one)).toMatch(/^ours against P2C peak-EWMA: cost -/)
})

it('gives intervals by Student’s t, and pairs seeds so that what they have in common cancels', () => {
  const { mean, margin } = estimate([1, 2, 3, 4, 5])
  expect(mean).toBe(3)
  expect(margin).toBeCloseTo((2.776 * Math.sqrt(2.5)) / Math.sqrt(5), 3)
  expect(pairedDifference([11, 22, 33], [10, 21, 32])).toEqual({ mean: 1, margin: 0 })
})

it.each([1, 2, 11])('peers’ row %i comes out', (row) => {
  const finding = CLAIMS.find((claim) => claim.row === row)!.check('no traces needed')
  expect(finding.passed, finding.found).toBe(true)
})
