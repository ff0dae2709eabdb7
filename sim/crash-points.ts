/**
 * Kills the control plane before and after every statement and commit, and the gateway at every entry of its journal, once each; after
 * each death the books must verify and nothing acknowledged may be lost. `npm run sim:crash-points [-- --every 1]`; PostgreSQL is
 * the embedded one in a temporary folder, or the one that TEST_DATABASE_URL names.
 */
import { parseArgs } from 'node:util'
import { freshDatabase } from '../test/database.ts'
import setUp from '../test/setup-postgres.ts'
import { liveThrough } from './crash-points/audit.ts'
import { deathsOf } from './crash-points/deaths.ts'
import type { Death } from './crash-points/world.ts'

const { values } = parseArgs({ options: { every: { type: 'string', default: '1' } } })
const every = Number(values.every)
if (!Number.isSafeInteger(every) || every < 1) throw new Error('--every is a whole number from 1 on')

const tearDown = await setUp()
let failures = 0
try {
  const calm = await run()
  if (calm.complaints.length > 0) report('without any death', calm.complaints)
  const { 'control plane': statements, gateway: entries } = calm.moments
  console.log(
    `a day without a death: ${statements} moments of the control plane, ${entries} journal entries, ${calm.records} records`,
  )
  const deaths = deathsOf(calm.moments).filter((_, i) => i % every === 0)
  for (const [i, death] of deaths.entries()) {
    const { complaints } = await run(death)
    if (complaints.length > 0) report(JSON.stringify(death), complaints)
    if (process.stderr.isTTY) process.stderr.write(`\r${i + 1} of ${deaths.length} deaths, ${failures} failures `)
  }
  console.log(`\n${deaths.length} deaths lived through, ${failures} failures`)
  if (deaths.length === 0) failures++
} finally {
  await tearDown()
}
process.exitCode = failures > 0 ? 1 : 0

async function run(death?: Death) {
  await using database = await freshDatabase()
  return await liveThrough(database, death)
}

function report(what: string, complaints: readonly string[]): void {
  failures++
  console.log(`FAILED ${what}`)
  for (const complaint of complaints.slice(0, 5)) console.log(`    ${complaint}`)
}
