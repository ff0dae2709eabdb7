/**
 * Sixty months under a clock of our own: `npm run sim:months [-- --months 60]`. Prices are cut, a conversion table is re-weighted, a
 * tax rises, calendars grow, plans renew, change and end, invoices are run and paid, over holidays and a leap day; a second
 * calculation of every price judges every answer, and the books are proved each year. Exits non-zero at any disagreement.
 */
import { parseArgs } from 'node:util'
import setUp from '../test/setup-postgres.ts'
import { liveThrough } from './months/years.ts'

const { values } = parseArgs({ options: { months: { type: 'string', default: '60' } } })
const months = Number(values.months)
if (!Number.isSafeInteger(months) || months < 1 || months > 60) throw new Error('--months is from 1 to 60')

const tearDown = await setUp()
try {
  const started = performance.now()
  const years = await liveThrough(months, {
    verifyEvery: 12,
    onMonth: (month) => process.stderr.isTTY && process.stderr.write(`\r${month} `),
  })
  console.log(
    `${months} months: ${years.requests} requests, ${years.documents} documents, ${years.postings} postings in ${((performance.now() - started) / 1000).toFixed(0)} s`,
  )
  for (const complaint of years.complaints) console.log(`FAILED ${complaint}`)
  console.log(`${years.complaints.length} disagreements`)
  if (years.complaints.length > 0 || years.requests === 0) process.exitCode = 1
} finally {
  await tearDown()
}
