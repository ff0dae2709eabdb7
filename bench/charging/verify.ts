import { sheetById } from '../../test/sample-usage.ts'
import { count } from './row.ts'
import type { Row } from './row.ts'
import type { World } from './world.ts'

/** Minutes: what somebody waits for, and a nightly run has ample time for. */
const MOST_MINUTES = 15

/** Proves everything that the other sections booked. */
export async function verifySection(world: World): Promise<Row[]> {
  let peak = process.memoryUsage.rss()
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50)
  const before = process.memoryUsage.rss()
  const cpu = process.cpuUsage()
  const postgres = world.postgresCpu()
  const started = performance.now()
  const verdict = await world.charging.verify({ sheetById })
  const seconds = (performance.now() - started) / 1000
  clearInterval(watch)
  const used = process.cpuUsage(cpu)
  for (const check of verdict.checks)
    console.error(`  ${check.ok ? 'ok    ' : 'WRONG '} ${count(check.seen).padStart(12)}  ${check.name}`)
  if (!verdict.ok) throw new Error(`the books disagree: ${JSON.stringify(verdict.checks.filter(({ ok }) => !ok))}`)
  const records = verdict.checks[0]?.seen ?? 0
  const each = [(used.user + used.system) / records, (world.postgresCpu() - postgres) / records] as const
  const minutes = (seconds / records) * (10_000_000 / 60)
  return [
    {
      what: `verify, ${count(records)} records`,
      measured: `${seconds.toFixed(1)} s, ${count(records / seconds)} records/s: ${minutes.toFixed(1)} min for 10,000,000`,
      target: 'minutes for 10,000,000',
      reached: minutes <= MOST_MINUTES,
    },
    { what: 'verify, CPU per record', measured: `${each[0].toFixed(1)} µs Node + ${each[1].toFixed(1)} µs PostgreSQL` },
    {
      what: 'verify, memory of Node',
      measured: `${count(peak / 2 ** 20)} MiB at most, ${count(before / 2 ** 20)} MiB before`,
      target: '≤ 512 MiB',
      reached: peak <= 512 * 2 ** 20,
    },
  ]
}
