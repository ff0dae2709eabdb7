/**
 * A supplier's statement of a million lines: `npm run sim:statements [-- --lines 1000000]`. A month of requests is ingested, the
 * supplier's file about it has every kind of difference put in, and matching has to find exactly those; then the month is settled, and
 * what had accrued has to be gone. Exits non-zero at any disagreement.
 */
import { parseArgs } from 'node:util'
import { openDatabase } from '#platform/postgres'
import { freshDatabase } from '../test/database.ts'
import setUp from '../test/setup-postgres.ts'
import { openWorld } from '../test/settlement.ts'
import { makeMonth } from './statements/month.ts'
import { settleMonth } from './statements/settle.ts'

const { values } = parseArgs({ options: { lines: { type: 'string', default: '1000000' } } })
const count = Number(values.lines)
if (!Number.isSafeInteger(count) || count < 1_000 || count > 10_000_000)
  throw new Error('--lines is from 1,000 to 10,000,000')

const CELLS = 30
let shownMs = 0
function show(line: string): void {
  const nowMs = performance.now()
  if (!process.stderr.isTTY || nowMs - shownMs < 100) return
  shownMs = nowMs
  // Carriage return, and clear to the end of the line (ECMA-48, EL).
  process.stderr.write(`\r${line}\x1b[K`)
}

const bar = (done: number): string => {
  const filled = Math.floor((CELLS * done) / count)
  return `${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)} ${Math.floor((100 * done) / count)} %`
}

const tearDown = await setUp()
try {
  await using fresh = await freshDatabase()
  await using database = openDatabase(fresh.url, { max: 4 })
  await using stack = new AsyncDisposableStack()
  const world = await openWorld(database, stack)
  const started = performance.now()
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`
  const month = await makeMonth(world, { count, onProgress: (done) => show(`ingest ${bar(done)}, ${seconds()}`) })
  console.log(
    `${month.lines} lines in ${(month.bytes / 1e6).toFixed(0)} MB, ${month.expected.size} differences put in, ${seconds()}`,
  )
  const settling = performance.now()
  const { complaints, classes } = await settleMonth(world, {
    ...{ database, month },
    onProgress: (what) => show(`${what}, ${seconds()}`),
  })
  console.log(classes.join('\n'))
  const memory = process.resourceUsage().maxRSS / 1024
  console.log(
    `imported, matched, settled, verified in ${((performance.now() - settling) / 1000).toFixed(0)} s; at most ${memory.toFixed(0)} MB of memory`,
  )
  for (const complaint of complaints.slice(0, 50)) console.log(`FAILED ${complaint}`)
  console.log(`${complaints.length} disagreements`)
  if (complaints.length > 0) process.exitCode = 1
} finally {
  await tearDown()
}
