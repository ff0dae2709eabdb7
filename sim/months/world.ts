import type { BalanceView } from '#contract'
import { manualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { openRooms } from '../../src/apps/control-rooms.ts'
import { SELLER } from '../../test/billing.ts'
import { freshDatabase } from '../../test/database.ts'
import { startInProcess } from '../../test/gateway/in-process.ts'
import type { InProcess } from '../../test/gateway/in-process.ts'
import { SIGNING_KEY } from '../../test/quality.ts'
import { startUpstream } from '../../test/upstream/index.ts'
import { USAGE } from './auditor.ts'
import { SERVICE, TABLE, factoryFile } from './market.ts'
import type { TenantName } from './market.ts'

export const atChina = (day: string, time = '00:00:00'): number => Date.parse(`${day}T${time}+08:00`)

/** What a client was told that one answer cost. */
export interface Served {
  readonly tenant: TenantName
  readonly atMs: number
  readonly tier: 'standard' | 'priority'
  readonly status: number
  readonly code: string | undefined
  readonly chargePico: bigint
  /** Millionths of the standard token. */
  readonly debit: bigint
  /** A reservation covered it. */
  readonly isReserved: boolean
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** The control plane's rooms, a real gateway and a supplier in one process, under a clock of our own, on a database of their own. */
export async function openWorld() {
  await using undo = new AsyncDisposableStack()
  const database = undo.use(await freshDatabase({ max: 12 }))
  const clock = manualClock(atChina('2026-01-01', '00:05:00'))
  const { charging, ordering, catalogue, billing } = openRooms({
    database,
    clock,
    log: nullLog,
    signingKey: SIGNING_KEY,
  })
  const upstream = await startUpstream()
  undo.defer(() => upstream.close())
  upstream.script(SERVICE, { kind: 'answer', events: 5, usage: USAGE })
  await billing.setSeller(SELLER, 'sim')
  const secrets = new Map<string, string>()
  let gateway: InProcess | undefined
  let asked = 0
  undo.defer(async () => void (await gateway?.[Symbol.asyncDispose]()))

  async function closeGateway(): Promise<void> {
    await gateway?.[Symbol.asyncDispose]()
    gateway = undefined
  }
  const rest = undo.move()
  return {
    ...{ database, clock, charging, ordering, billing, catalogue, closeGateway },
    async declare(year: number): Promise<void> {
      const text = factoryFile({ upstreamUrl: upstream.url }, year)
      const { newKeys } = await catalogue.apply({ text, fileName: 'factory.yaml', dryRun: false })
      for (const { tenant, secret } of newKeys) secrets.set(tenant, secret)
    },
    /** Time that passes without traffic: what time brings about happens once a day, at nine in the morning. */
    async goTo(atMs: number): Promise<void> {
      if (atMs < clock.nowMs()) throw new RangeError('time does not run backwards')
      for (;;) {
        const nineMs = nextNine(clock.nowMs())
        if (nineMs > atMs) break
        clock.advance(nineMs - clock.nowMs())
        await charging.expireLots(clock.nowMs())
        await charging.recogniseRevenue(clock.nowMs())
        await charging.reclaimSlices(clock.nowMs())
        await ordering.runDue()
        await billing.dun()
      }
      clock.advance(atMs - clock.nowMs())
    },
    /** A gateway that knows what is in force now. */
    async openGateway(): Promise<void> {
      await closeGateway()
      gateway = await startInProcess({ charging, snapshot: await catalogue.snapshot(), clock, firstRequest: asked + 1 })
    },
    async ask(tenant: TenantName, tier: Served['tier'] = 'standard'): Promise<Served> {
      if (!gateway) throw new Error('no gateway is open')
      const atMs = clock.nowMs()
      asked++
      const answer = await fetch(`${gateway.url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secrets.get(tenant) ?? ''}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: SERVICE,
          messages: [{ role: 'user', content: 'How are the books today?' }],
          max_tokens: 60,
          ...(tier === 'priority' ? { service_tier: 'priority' } : {}),
        }),
      })
      const body = (await answer.json()) as { error?: { code?: string } }
      const debits = new Map(
        (answer.headers.get('x-factory-debit') ?? '')
          .split(', ')
          .filter((text) => text !== '')
          .map((text) => text.split('=') as [string, string]),
      )
      return {
        ...{ tenant, atMs, tier, status: answer.status, code: body.error?.code },
        chargePico: BigInt(answer.headers.get('x-factory-charge-pico') ?? '0'),
        debit: millionths(debits.get(TABLE) ?? '0'),
        isReserved: [...debits.keys()].some((table) => table !== TABLE),
      }
    },
    async topup(tenant: TenantName, amountPico: bigint, reference: string): Promise<BalanceView> {
      return charging.topup({ tenant, amountPico, reference })
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

/** `12.5` units. */
function millionths(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
}

const DAY_MS = 86_400_000
/** Nine in the morning in China is one o'clock in Greenwich. */
function nextNine(nowMs: number): number {
  const nine = Math.floor(nowMs / DAY_MS) * DAY_MS + 3_600_000
  return nine > nowMs ? nine : nine + DAY_MS
}
