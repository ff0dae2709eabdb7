import type { Transaction } from '#platform/postgres'
import { post } from '#ledger'
import { grossOfTax, pico } from '#kernel'
import { newId } from './context.ts'
import type { Actor, AgreementsDeps } from './context.ts'
import { serviceEndMs } from './model/clock.ts'
import { divide } from './model/division.ts'
import { notAllowed, samePerson, unknownThing } from './problems.ts'
import { advanceProject, wantPackage } from './projects.ts'
import { addCalled, lockAgreement, selectAgreements } from './store/agreements.ts'
import type { AgreementRow } from './store/agreements.ts'
import {
  endStop,
  insertCallOff,
  insertDelivery,
  insertLot,
  lockCallOff,
  openStop,
  selectCallOffs,
  selectLots,
  selectStops,
  updateCallOff,
} from './store/call-offs.ts'
import type { CallOffRow } from './store/call-offs.ts'
import { addLots, partiesOf } from './store/shares.ts'
import { bumpRevision } from './store/transitions.ts'
import { begin, move } from './transitions.ts'

/** How many of the next lots each supplier of a package is due, with its agreement. */
async function portions(tx: Transaction, packageId: string, lots: number) {
  const agreements = (await selectAgreements(tx, { package: packageId })).filter(({ state }) => state === 'active')
  const bySupplier = new Map(agreements.map((agreement) => [agreement.supplier, agreement]))
  const parties = await partiesOf(tx, packageId)
  if (agreements.length === 0 || parties.some(({ supplier }) => !bySupplier.has(supplier)))
    throw notAllowed({ reason: `Not every supplier of ${packageId} has an agreement in force.` })
  const counts = new Map<string, number>()
  for (const supplier of divide(parties, lots)) counts.set(supplier, (counts.get(supplier) ?? 0) + 1)
  return [...counts].map(([supplier, count]) => ({ agreement: bySupplier.get(supplier) as AgreementRow, lots: count }))
}

/** Proposes an order of so many units, divided among the suppliers so that each stays within a lot of its share. Returns the batch. */
export async function proposeCallOff(
  { database, clock }: AgreementsDeps,
  { package: packageId, units, reason }: { readonly package: string; readonly units: number; readonly reason: string },
  { by }: Actor,
): Promise<string> {
  return database.transaction(async (tx) => {
    const pack = await wantPackage(tx, packageId)
    const { lotUnits } = pack.terms
    if (units % lotUnits !== 0)
      throw notAllowed({ reason: `Orders of ${packageId} are multiples of ${lotUnits} units.` })
    const atMs = clock.nowMs()
    const batch = newId('bat', atMs)
    for (const { agreement, lots } of await portions(tx, packageId, units / lotUnits)) {
      const amountPico = BigInt(agreement.terms.unitPricePico) * BigInt(lots * lotUnits)
      if (agreement.calledPico + amountPico > agreement.ceilingPico)
        throw notAllowed({ reason: `The order would go above the ceiling of ${agreement.id} (${agreement.supplier}).` })
      const id = newId('cof', atMs)
      await insertCallOff(tx, {
        ...{ id, batch, agreement: agreement.id, package: packageId, supplier: agreement.supplier, state: 'draft' },
        ...{ units: lots * lotUnits, lots, amountPico, proposedBy: by },
      })
      await begin(tx, 'call_off', id, 'draft', { by, atMs, reason })
    }
    return batch
  })
}

/** Places a proposed order, by another person than who proposed it. Its clocks start. */
export async function issueCallOff({ database, clock }: AgreementsDeps, batch: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    const [first] = await selectCallOffs(tx, { batch })
    if (!first) throw unknownThing({ what: 'order', id: batch })
    const pack = await wantPackage(tx, first.package)
    const orders = await selectCallOffs(tx, { batch })
    const lots = orders.reduce((sum, each) => sum + each.lots, 0)
    const due = new Map((await portions(tx, pack.id, lots)).map((each) => [each.agreement.id, each.lots]))
    if (orders.some((order) => order.state === 'draft' && due.get(order.agreement) !== order.lots))
      throw notAllowed({ reason: `The shares of ${pack.id} have moved since ${batch} was proposed: propose it anew.` })
    const atMs = clock.nowMs()
    for (const order of orders) {
      if (order.proposedBy === by) throw samePerson({ by, what: `order ${order.id}` })
      const agreement = await lockAgreement(tx, order.agreement)
      if (!agreement || agreement.calledPico + order.amountPico > agreement.ceilingPico)
        throw notAllowed({ reason: `The order would go above the ceiling of ${order.agreement}.` })
      await move(tx, 'call_off', order, 'issued', { by, atMs, reason })
      await updateCallOff(tx, {
        ...order,
        issuedBy: by,
        orderedAtMs: atMs,
        endsAtMs: serviceEndMs(atMs, agreement.terms.serviceMonths),
      })
      await addCalled(tx, order.agreement, order.amountPico)
      await addLots(tx, pack.id, order.supplier, order.lots)
    }
    await advanceProject(tx, pack.project, 'running', { by, atMs, reason: `order ${batch}` })
  })
}

/** The package is locked before its orders; `supplier`: to others the order does not exist. */
async function locked(tx: Transaction, id: string, supplier?: string): Promise<CallOffRow> {
  const [known] = await selectCallOffs(tx, { id })
  if (!known || (supplier !== undefined && known.supplier !== supplier)) throw unknownThing({ what: 'call-off', id })
  await wantPackage(tx, known.package)
  return (await lockCallOff(tx, id)) ?? known
}

/** The supplier's next step. */
export async function stepCallOff(
  { database, clock }: AgreementsDeps,
  id: string,
  to: 'acknowledged' | 'inDelivery',
  { by }: Actor,
  { reason, supplier }: { readonly reason: string; readonly supplier?: string | undefined },
): Promise<void> {
  await database.transaction(async (tx) => {
    await move(tx, 'call_off', await locked(tx, id, supplier), to, { by, atMs: clock.nowMs(), reason })
  })
}

/** Part of an order or all that is left of it was delivered. With the last unit it waits for acceptance. */
export async function deliverCallOff(
  { database, clock }: AgreementsDeps,
  id: string,
  units: number,
  { by }: Actor,
  supplier?: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const order = await locked(tx, id, supplier)
    if (order.state !== 'inDelivery')
      throw notAllowed({ reason: `The call-off ${id} is ${order.state}, nothing is delivered to it.` })
    const deliveredUnits = order.deliveredUnits + units
    if (deliveredUnits > order.units)
      throw notAllowed({ reason: `Only ${order.units - order.deliveredUnits} units of ${id} are missing.` })
    const atMs = clock.nowMs()
    await insertDelivery(tx, { callOff: id, units, atMs, by })
    const isWhole = deliveredUnits === order.units
    await updateCallOff(tx, { ...order, deliveredUnits, deliveredAtMs: isWhole ? atMs : null })
    if (isWhole) await move(tx, 'call_off', order, 'delivered', { by, atMs, reason: 'everything was delivered' })
  })
}

/** What was delivered is not what was ordered: it counts as not delivered. */
export async function rejectCallOff({ database, clock }: AgreementsDeps, id: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    const order = await locked(tx, id)
    const because = { by, atMs: clock.nowMs(), reason }
    await move(tx, 'call_off', order, 'rejected', because)
    await insertDelivery(tx, { callOff: id, units: -order.deliveredUnits, atMs: because.atMs, by })
    await updateCallOff(tx, { ...order, deliveredUnits: 0, deliveredAtMs: null })
    await move(tx, 'call_off', { id, state: 'rejected' }, 'inDelivery', because)
  })
}

/**
 * Accepts what was delivered, on the evidence of a report (its SHA-256): the order becomes a capacity lot that gateways may use
 * from now to its end. Prepaid capacity is booked with its tax.
 */
export async function acceptCallOff(
  { database, clock }: AgreementsDeps,
  id: string,
  { reportHash, reason }: { readonly reportHash: string; readonly reason: string },
  { by }: Actor,
): Promise<string> {
  return database.transaction(async (tx) => {
    const order = await locked(tx, id)
    const [agreement] = await selectAgreements(tx, { id: order.agreement })
    if (agreement?.state !== 'active') throw notAllowed({ reason: `The agreement ${order.agreement} is not in force.` })
    const atMs = clock.nowMs()
    const because = { by, atMs, reason }
    await move(tx, 'call_off', order, 'accepted', because)
    const endsAtMs = Math.min(order.endsAtMs ?? agreement.validToMs, agreement.validToMs)
    await updateCallOff(tx, { ...order, acceptedAtMs: atMs, reportHash })
    const lot = newId('lot', atMs)
    await insertLot(tx, {
      ...{ id: lot, callOff: id, agreement: agreement.id, supplier: order.supplier, model: agreement.terms.model },
      ...{ units: order.units, state: 'active', fromMs: atMs, toMs: endsAtMs },
    })
    await begin(tx, 'lot', lot, 'active', because)
    await move(tx, 'call_off', { id, state: 'accepted' }, 'inService', because)
    await bumpRevision(tx)
    if (agreement.terms.kind === 'capacity') await bookCapacity(tx, order, agreement, atMs)
    return lot
  })
}

/** charging.md §2.3, row 9: capacity and input VAT are ours, the supplier is owed the gross. */
async function bookCapacity(tx: Transaction, order: CallOffRow, { terms }: AgreementRow, atMs: number): Promise<void> {
  const tax: bigint = grossOfTax(pico(order.amountPico), terms.taxPercent) - order.amountPico
  await post(tx, {
    key: `capacity:${order.id}`,
    kind: 'capacity',
    memo: `accepted capacity of ${order.id}`,
    bookedAtMs: atMs,
    entries: [
      { account: `1200:${order.supplier}`, amountPico: order.amountPico },
      { account: '1300', amountPico: tax },
      { account: `2100:${order.supplier}`, amountPico: -(order.amountPico + tax) },
    ],
    evidence: null,
    facts: 1,
  })
}

/** What was accepted does not hold what was promised: gateways stop using it at once. */
export async function revokeAcceptance({ database, clock }: AgreementsDeps, id: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    const order = await locked(tx, id)
    const because = { by, atMs: clock.nowMs(), reason }
    const [lot] = await selectLots(tx, { callOffs: [id] })
    if (!lot) throw notAllowed({ reason: `The call-off ${id} has no accepted capacity.` })
    await move(tx, 'lot', lot, 'revoked', because)
    await move(tx, 'call_off', order, 'terminated', because)
    await bumpRevision(tx)
  })
}

/** Gives up an order before it is in service. */
export async function terminateCallOff({ database, clock }: AgreementsDeps, id: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    const order = await locked(tx, id)
    if (order.state === 'inService')
      throw notAllowed({ reason: `The call-off ${id} is in service: revoke its acceptance.` })
    await move(tx, 'call_off', order, 'terminated', { by, atMs: clock.nowMs(), reason })
    if (order.issuedBy !== null) await addCalled(tx, order.agreement, -order.amountPico)
  })
}

/** The buyer stops the clock, or lets it go on: time between does not count against the supplier. */
export async function stopClock({ database, clock }: AgreementsDeps, id: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    const order = await locked(tx, id)
    const isRunning = order.state === 'issued' || order.state === 'acknowledged' || order.state === 'inDelivery'
    if (!isRunning) throw notAllowed({ reason: `The clock of ${id} does not run: it is ${order.state}.` })
    if ((await selectStops(tx, [id])).some(({ toMs }) => toMs === null))
      throw notAllowed({ reason: `The clock of ${id} is stopped already.` })
    await openStop(tx, { callOff: id, fromMs: clock.nowMs(), reason, by })
  })
}

export async function resumeClock({ database, clock }: AgreementsDeps, id: string): Promise<void> {
  await database.transaction(async (tx) => {
    await locked(tx, id)
    if (!(await selectStops(tx, [id])).some(({ toMs }) => toMs === null))
      throw notAllowed({ reason: `The clock of ${id} is not stopped.` })
    await endStop(tx, id, clock.nowMs())
  })
}

/** Orders whose service is over. */
export async function turnCallOffs({ database, clock }: AgreementsDeps): Promise<number> {
  const atMs = clock.nowMs()
  let turned = 0
  for (const { id, state, endsAtMs } of await selectCallOffs(database, {})) {
    if (state !== 'inService' || endsAtMs === null || endsAtMs > atMs) continue
    await database.transaction(async (tx) => {
      const order = await locked(tx, id)
      if (order.state !== 'inService') return
      const because = { by: 'tokenfactory', atMs, reason: 'its service is over' }
      await move(tx, 'call_off', order, 'completed', because)
      const [lot] = await selectLots(tx, { callOffs: [id] })
      if (lot && (lot.state === 'active' || lot.state === 'suspended')) await move(tx, 'lot', lot, 'expired', because)
      await bumpRevision(tx)
      turned += 1
    })
  }
  return turned
}
