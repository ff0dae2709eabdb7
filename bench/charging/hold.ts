import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdmission, createLimitTable, openLimits } from '#admission'
import { createHolds } from '#holds'
import type { Part } from '#holds'
import { systemClock } from '#platform/clock'
import { openJournal } from '#platform/journal'
import { nullLog } from '#platform/log'
import { generousCharging } from '../../test/gateway/generous-charging.ts'
import { quantile } from '../rig/measure.ts'
import { us } from './row.ts'
import type { Row } from './row.ts'

const quotas = [
  { scope: 'API key', slot: 0, limits: { requestsPerMinute: 1e9, tokensPerMinute: 1e12, concurrency: 1000 } },
  { scope: 'tenant', slot: 1, limits: { requestsPerMinute: 1e9, tokensPerMinute: 1e12, concurrency: 1000 } },
] as const

const part = (bucket: string): Part => ({ bucket, amount: 2_000_000n, atLeast: 2_000_000n, optional: false })
const MEANS: readonly (readonly [string, readonly Part[]])[] = [
  ['wallet', [part('wallet:acme')]],
  ['wallet, cap and tokens', [part('cap:tenant/acme/day@2026-11-25'), part('tokens:acme/std'), part('wallet:acme')]],
]

/** Admission by key and tenant, a hold in every bucket, and its capture; with a real journal beneath, as in a gateway. */
export async function holdSection(requests: number): Promise<Row[]> {
  await using undo = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-bench-holds-'))
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const journal = await openJournal(folder)
  undo.use(journal)
  const options = { gateway: 'gw-bench', journal, charging: generousCharging(), clock: systemClock, log: nullLog }
  const holds = createHolds(options)
  undo.defer(() => holds.close(1000))
  const limits = openLimits(createLimitTable(2, 1), 0)
  const admission = createAdmission({ limits, nowNs: process.hrtime.bigint })

  const serve = (parts: readonly Part[]): Promise<number> =>
    new Promise((resolve, reject) => {
      const at = process.hrtime.bigint()
      const ticket = admission.admit(quotas, 1000)
      holds.placeAll(parts, (outcome) => {
        if ('refused' in outcome) return reject(new Error(outcome.refused))
        for (const hold of outcome) hold.capture(hold.amount / 2n)
        ticket.release(500)
        resolve(Number(process.hrtime.bigint() - at) / 1000)
      })
    })

  const rows: Row[] = []
  for (const [what, parts] of MEANS) {
    for (let n = 0; n < 2000; n++) await serve(parts)
    const cpu = process.cpuUsage()
    const took: number[] = []
    for (let n = 0; n < requests; n++) took.push(await serve(parts))
    const used = process.cpuUsage(cpu)
    took.sort((a, b) => a - b)
    const mean = (used.user + used.system) / requests
    rows.push({
      what: `admission + hold + capture: ${what}`,
      measured: `${us(mean)} CPU; p50 ${us(quantile(took, 0.5))}, p99 ${us(quantile(took, 0.99))}`,
      target: '≤ 50 µs',
      reached: mean <= 50 && quantile(took, 0.5) <= 50,
    })
  }
  return rows
}
