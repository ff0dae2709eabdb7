import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createCharging } from '#charging'
import { systemClock } from '#platform/clock'
import { createLog } from '#platform/log'
import { migrate, openDatabase, startEmbeddedPostgres } from '#platform/postgres'
import { sampleRecord, sheetById } from '../test/sample-usage.ts'

/**
 * Usage records per second into the books, durably, in batches of 500 as gateways ship them, on a database of its own; then how
 * long `verify` takes over them, and that they verify. `node bench/ingest.ts [records] [tenants] [connections]`
 */
const [records = 100_000, tenants = 20, connections = 3] = process.argv.slice(2).map(Number)
const BATCH = 500
await using undo = new AsyncDisposableStack()
const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-bench-'))
undo.defer(() => rm(folder, { recursive: true, force: true }))
const server = await startEmbeddedPostgres({ dataDir: folder, log: createLog({ name: 'bench', level: 'error' }) })
undo.defer(() => server.stop())
const database = openDatabase(server.url, { max: connections + 2 })
undo.use(database)
await migrate(database, resolve(import.meta.dirname, '../migrations'))
const charging = createCharging({ database, clock: systemClock })

const gateways = Array.from({ length: connections }, (_, n) => `gw-${n}`)
for (let n = 0; n < tenants; n++)
  await charging.topup({ tenant: `tenant-${n}`, amountPico: 10n ** 18n, reference: `pay-${n}` })
const slices = new Map<string, string>()
for (const gateway of gateways) {
  const { epoch } = await charging.register({ gateway, journal: 'journal-of-bench' })
  for (let n = 0; n < tenants; n++) {
    const tenant = `tenant-${n}`
    const reply = await charging.grant({
      gateway,
      epoch,
      seq: n + 1,
      bucket: `wallet:${tenant}`,
      min: '1',
      want: `${10n ** 17n}`,
    })
    if (reply.outcome === 'granted') slices.set(`${gateway} ${tenant}`, reply.slice.id)
  }
}

const batches = Array.from({ length: Math.ceil(records / BATCH) }, (_, batch) => {
  const gateway = gateways[batch % connections] ?? ''
  return {
    gateway,
    records: Array.from({ length: BATCH }, (_, n) => {
      const tenant = `tenant-${(n * 7) % tenants}`
      return sampleRecord(batch * BATCH + n, { gateway, tenant, slice: slices.get(`${gateway} ${tenant}`) ?? '' })
    }),
  }
})
const durations: number[] = []
const cpuBefore = process.cpuUsage()
const started = performance.now()
await Promise.all(
  gateways.map(async (gateway) => {
    for (const batch of batches.filter((each) => each.gateway === gateway)) {
      const at = performance.now()
      const reply = await charging.ingest(batch)
      if (reply.accepted !== BATCH) throw new Error(JSON.stringify(reply))
      durations.push(performance.now() - at)
    }
  }),
)
const seconds = (performance.now() - started) / 1000
const cpu = process.cpuUsage(cpuBefore)
durations.sort((a, b) => a - b)
const quantile = (q: number): string => (durations[Math.floor(q * durations.length)] ?? 0).toFixed(1)
const total = batches.length * BATCH
console.log(
  `ingest: ${total} records, ${tenants} tenants, ${connections} connections, batches of ${BATCH}, synchronous commit`,
)
console.log(
  `  ${Math.round(total / seconds)} records/s; batch p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms; node CPU ${((cpu.user + cpu.system) / total).toFixed(1)} µs/record`,
)

const again = performance.now()
const repeated = await charging.ingest(batches[0] ?? { gateway: '', records: [] })
console.log(
  `  a batch delivered again: ${(performance.now() - again).toFixed(1)} ms, ${repeated.duplicates} duplicates`,
)
for (const by of ['tenant', 'hour'] as const) {
  const at = performance.now()
  const rows = await charging.usage({ by })
  console.log(`  usage by ${by}: ${(performance.now() - at).toFixed(1)} ms, ${rows.length} rows`)
}
const verifying = performance.now()
const verdict = await charging.verify({ sheetById })
console.log(
  `verify: ${verdict.ok ? 'ok' : 'FAILED'} in ${((performance.now() - verifying) / 1000).toFixed(1)} s, node RSS ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
)
for (const check of verdict.checks)
  console.log(`  ${check.ok ? 'ok    ' : 'FAILED'} ${check.seen.toString().padStart(8)}  ${check.name}`)
if (!verdict.ok) process.exitCode = 1
