import { roundToFen } from '#kernel'
import { expectedOf, inChina } from './auditor.ts'
import { TABLE, TENANTS } from './market.ts'
import type { TenantName } from './market.ts'
import { atChina } from './world.ts'
import type { Served, World } from './world.ts'

const YUAN = 10n ** 12n
const CLERK = { by: 'sim', isOperator: true }

/** What the years have come to, kept by the auditor from what clients were told. */
export interface Ledger {
  readonly served: Served[]
  readonly complaints: string[]
  /** Subscription of the plan, while there is one. */
  plan: string | undefined
}

export const monthAt = (index: number): string =>
  `${2026 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`

function lastDayOf(month: string): number {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number, 0)).getUTCDate()
}

/** One month of five tenants: payments, orders, renewals, traffic on three days of it, and the documents of the month before. */
export async function liveMonth(world: World, ledger: Ledger, index: number): Promise<void> {
  const month = monthAt(index)
  const day = (number: number): string => `${month}-${String(number).padStart(2, '0')}`
  await world.goTo(Math.max(world.clock.nowMs(), atChina(day(1), '00:10:00')))
  if (month.endsWith('-12')) await world.declare(Number(month.slice(0, 4)) + 1)
  await world.topup('prepaid', YUAN / 10n, `prepaid-${month}`)
  await world.topup('planned', YUAN / 5n, `planned-${month}`)
  await world.topup('reserved', YUAN / 5n, `reserved-${month}`)
  await ordersOf(world, ledger, month)
  if (index > 0) await billMonth(world, ledger, monthAt(index - 1))

  await trafficOn(world, ledger, day(1), ['08:59:59', '09:30:00'])
  await trafficOn(world, ledger, day(15), ['11:59:59', '12:30:00', '17:59:59'])
  await payInvoices(world, ledger, month)
  await trafficOn(world, ledger, day(lastDayOf(month)), ['10:00:00', '23:59:58'])
  await world.closeGateway()
  await world.billing.rollUp()
}

async function ordersOf(world: World, ledger: Ledger, month: string): Promise<void> {
  const order = async (tenant: TenantName, offer: string, configuration = {}): Promise<string | undefined> => {
    const made = await world.ordering.order(
      { tenant, offer, configuration, idempotencyKey: `${offer}-${month}` },
      CLERK,
    )
    if (made.state !== 'completed') ledger.complaints.push(`${month}: order of ${offer} is ${made.state}`)
    return made.subscription ?? undefined
  }
  await order('prepaid', 'pack-small')
  if (month === '2026-01') ledger.plan = await order('planned', 'plan-basic')
  if (month === '2028-03' && ledger.plan !== undefined)
    await world.ordering.change(
      { tenant: 'planned', subscription: ledger.plan, offer: 'plan-more', idempotencyKey: 'upgrade' },
      CLERK,
    )
  if (month === '2030-06' && ledger.plan !== undefined)
    await world.ordering.cancel(
      { tenant: 'planned', subscription: ledger.plan, when: 'now', reason: 'moves away', idempotencyKey: 'cancel' },
      CLERK,
    )
  if (['-01', '-04', '-07', '-10'].some((quarter) => month.endsWith(quarter)))
    await order('reserved', 'reserved', { inputTpm: 10_000, outputTpm: 10_000, term: 60 })
}

async function trafficOn(world: World, ledger: Ledger, day: string, times: readonly string[]): Promise<void> {
  for (const time of times) {
    await world.goTo(atChina(day, time))
    await world.openGateway()
    for (const tenant of TENANTS) {
      ledger.served.push(await world.ask(tenant))
      if (tenant === 'postpaid') ledger.served.push(await world.ask(tenant, 'priority'))
    }
    await world.closeGateway()
  }
  for (const each of ledger.served.slice(-times.length * (TENANTS.length + 1))) check(ledger, each)
}

/** An answer is paid at the price of its moment: in money, in units, in parts of both, or by a reservation. */
function check(ledger: Ledger, { tenant, atMs, tier, status, code, chargePico, debit, isReserved }: Served): void {
  const expected = expectedOf(atMs, tier)
  const { day, hour } = inChina(atMs)
  const say = (what: string): void =>
    void ledger.complaints.push(`${tenant} on ${day} at ${hour}: ${what}, ${chargePico} pico and ${debit} charged`)
  if (status !== 200) return say(`answered ${status} ${code ?? ''}`)
  if (debit === 0n && chargePico === expected.pico) return
  if (tenant === 'reserved' && isReserved && debit === 0n && chargePico === 0n) return
  if (debit === expected.units && chargePico === 0n) return
  if (debit > 0n && debit < expected.units && chargePico > 0n && chargePico < expected.pico) return
  say(`${expected.pico} pico or ${expected.units} of ${TABLE} would be right`)
}

/** The month's invoice is the sum of what the clients were told, rounded once per line. */
async function billMonth(world: World, ledger: Ledger, month: string): Promise<void> {
  const { documents, failures } = await world.billing.run({ period: month, by: 'sim' })
  for (const failure of failures) ledger.complaints.push(`billing of ${month}: ${JSON.stringify(failure)}`)
  const again = await world.billing.run({ period: month, by: 'sim' })
  if (again.documents.length > 0) ledger.complaints.push(`${month} was billed twice`)
  const invoice = documents.find(({ tenant, kind }) => tenant === 'postpaid' && kind === 'invoice')
  const told = ledger.served.filter(({ tenant, atMs }) => tenant === 'postpaid' && inChina(atMs).day.startsWith(month))
  const gross = roundToFen(told.reduce((sum, { chargePico }) => sum + chargePico, 0n))
  if (invoice?.grossFen !== gross)
    ledger.complaints.push(`the invoice of ${month} is over ${invoice?.grossFen ?? 'nothing'} fen, ${gross} were told`)
}

/** Odd months are paid at once, even months in two parts, so that a part is open for a while. */
async function payInvoices(world: World, ledger: Ledger, month: string): Promise<void> {
  for (const document of await world.billing.documents({ tenant: 'postpaid', limit: 6 })) {
    const due = document.dueFen - document.coveredFen
    if (due <= 0n || document.kind !== 'invoice') continue
    const parts = Number(month.slice(-2)) % 2 === 0 && due > 1n ? [due / 2n, due - due / 2n] : [due]
    for (const [i, fen] of parts.entries())
      await world.billing.pay({
        ...{ tenant: 'postpaid', document: document.id, amountFen: fen, by: 'sim' },
        reference: `pay-${document.id}-${i}`,
      })
    const { document: paid } = await world.billing.document(document.id)
    if (paid.state !== 'settled') ledger.complaints.push(`${paid.id} is paid and ${paid.state}`)
  }
}
