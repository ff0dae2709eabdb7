import { addMonths } from '#kernel'
import type { Transaction } from '#platform/postgres'
import { newId } from './context.ts'
import type { Actor, AgreementsDeps } from './context.ts'
import { redistribute } from './model/division.ts'
import { isUscc } from './model/uscc.ts'
import { notAllowed, samePerson, unknownThing } from './problems.ts'
import { advance, wantPackage } from './projects.ts'
import { insertAgreement, lockAgreement, selectAgreements, setSigned } from './store/agreements.ts'
import type { AgreementRow } from './store/agreements.ts'
import { selectLots } from './store/call-offs.ts'
import { selectSuppliers } from './store/projects.ts'
import { openEpoch, selectShares } from './store/shares.ts'
import { bumpRevision } from './store/transitions.ts'
import { begin, move } from './transitions.ts'
import type { Because } from './transitions.ts'

/** Draws up a framework agreement for a winner: the package's terms, and its share of the package's ceiling. */
export async function draftAgreement(
  { database, clock }: AgreementsDeps,
  wanted: {
    readonly package: string
    readonly supplier: string
    readonly model?: string | undefined
    readonly validFromMs: number
    readonly validMonths: number
  },
  { by }: Actor,
): Promise<string> {
  return database.transaction(async (tx) => {
    const pack = await wantPackage(tx, wanted.package)
    if (pack.state !== 'awarded' && pack.state !== 'contracted')
      throw notAllowed({ reason: `The package ${pack.id} is ${pack.state}: nothing has been awarded.` })
    const share = (await selectShares(tx, pack.id)).find(({ supplier }) => supplier === wanted.supplier)
    if (!share) throw notAllowed({ reason: `${wanted.supplier} has won no share of ${pack.id}.` })
    const others = await selectAgreements(tx, { package: pack.id, supplier: wanted.supplier })
    if (others.some(({ state }) => state !== 'terminated' && state !== 'expired'))
      throw notAllowed({ reason: `${wanted.supplier} has an agreement for ${pack.id} already.` })
    const atMs = clock.nowMs()
    const id = newId('agr', atMs)
    await insertAgreement(tx, {
      id,
      package: pack.id,
      supplier: wanted.supplier,
      state: 'draft',
      terms: { ...pack.terms, model: wanted.model ?? pack.terms.model },
      ceilingPico: (pack.ceilingPico * BigInt(share.ppm)) / 1_000_000n,
      calledPico: 0n,
      proposedBy: by,
      signedBy: null,
      validFromMs: wanted.validFromMs,
      validToMs: addMonths(wanted.validFromMs, wanted.validMonths),
    })
    await begin(tx, 'agreement', id, 'draft', { by, atMs, reason: `share of ${share.ppm / 10_000} % of ${pack.id}` })
    return id
  })
}

async function wantAgreement(tx: Transaction, id: string): Promise<AgreementRow> {
  const found = await lockAgreement(tx, id)
  if (!found) throw unknownThing({ what: 'agreement', id })
  return found
}

export async function submitAgreement({ database, clock }: AgreementsDeps, id: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    await move(tx, 'agreement', await wantAgreement(tx, id), 'inApproval', { by, atMs: clock.nowMs(), reason })
  })
}

/** Signed by another person than who drew it up; it comes into force with its first day. */
export async function signAgreement({ database, clock }: AgreementsDeps, id: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    const [known] = await selectAgreements(tx, { id })
    if (!known) throw unknownThing({ what: 'agreement', id })
    const pack = await wantPackage(tx, known.package)
    const agreement = await wantAgreement(tx, id)
    if (agreement.proposedBy === by) throw samePerson({ by, what: `agreement ${id}` })
    const [supplier] = await selectSuppliers(tx, [agreement.supplier])
    if (!supplier?.uscc || !isUscc(supplier.uscc))
      throw notAllowed({ reason: `${agreement.supplier} has no unified social credit code on file and cannot sign.` })
    const because = { by, atMs: clock.nowMs(), reason }
    await move(tx, 'agreement', agreement, 'signed', because)
    await setSigned(tx, id, by)
    if (agreement.validFromMs <= because.atMs) await activate(tx, { ...agreement, state: 'signed' }, because)
    const signed = new Set(
      (await selectAgreements(tx, { package: pack.id })).filter(isInForce).map((each) => each.supplier),
    )
    const winners = await selectShares(tx, pack.id)
    if (pack.state === 'awarded' && winners.every(({ supplier: winner }) => signed.has(winner)))
      await advance(tx, pack, 'contracted', { ...because, reason: 'every winner has signed' })
  })
}

const isInForce = ({ state }: AgreementRow): boolean =>
  state === 'signed' || state === 'active' || state === 'suspended'

async function activate(tx: Transaction, agreement: AgreementRow, because: Because): Promise<void> {
  await move(tx, 'agreement', agreement, 'active', because)
  await redivide(tx, agreement.package)
  await bumpRevision(tx)
}

/** Order lots are divided anew among those who can deliver: what they had before the change is not made up for. */
async function redivide(tx: Transaction, packageId: string): Promise<void> {
  const agreements = await selectAgreements(tx, { package: packageId })
  const able = new Set(agreements.filter(({ state }) => state === 'active').map(({ supplier }) => supplier))
  const shares = await selectShares(tx, packageId)
  const out = new Set(shares.map(({ supplier }) => supplier).filter((supplier) => !able.has(supplier)))
  await openEpoch(tx, packageId, redistribute(shares, out))
}

/** Takes a supplier out for a while, or for good. Its capacity leaves the gateways at once, its share goes to the others. */
export async function endAgreement(
  { database, clock }: AgreementsDeps,
  id: string,
  to: 'suspended' | 'terminated',
  { by }: Actor,
  reason: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const agreement = await locked(tx, id)
    await close(tx, agreement, to, { by, atMs: clock.nowMs(), reason })
  })
}

/** The package is locked before its agreements, by everybody. */
async function locked(tx: Transaction, id: string): Promise<AgreementRow> {
  const [known] = await selectAgreements(tx, { id })
  if (!known) throw unknownThing({ what: 'agreement', id })
  await wantPackage(tx, known.package)
  return wantAgreement(tx, id)
}

const LOT_AT = { suspended: 'suspended', terminated: 'revoked', expired: 'expired' } as const

async function close(
  tx: Transaction,
  agreement: AgreementRow,
  to: 'suspended' | 'terminated' | 'expired',
  because: Because,
): Promise<void> {
  await move(tx, 'agreement', agreement, to, because)
  for (const lot of await selectLots(tx, { agreement: agreement.id }))
    if (lot.state === 'active' || (lot.state === 'suspended' && to !== 'suspended'))
      await move(tx, 'lot', lot, LOT_AT[to], { ...because, reason: `agreement ${agreement.id} is ${to}` })
  if (agreement.state === 'active') await redivide(tx, agreement.package)
  await bumpRevision(tx)
}

export async function resumeAgreement({ database, clock }: AgreementsDeps, id: string, { by }: Actor, reason: string) {
  await database.transaction(async (tx) => {
    const agreement = await locked(tx, id)
    const because = { by, atMs: clock.nowMs(), reason }
    if (agreement.state !== 'suspended') throw notAllowed({ reason: `The agreement ${id} is not suspended.` })
    await activate(tx, agreement, because)
    for (const lot of await selectLots(tx, { agreement: id }))
      if (lot.state === 'suspended')
        await move(tx, 'lot', lot, 'active', { ...because, reason: `agreement ${id} goes on` })
  })
}

/** What time alone brings about: agreements come into force and end. May be called as often as one likes. */
export async function turnAgreements({ database, clock }: AgreementsDeps): Promise<number> {
  const atMs = clock.nowMs()
  let turned = 0
  for (const { id, state, validFromMs, validToMs } of await selectAgreements(database, {})) {
    const isBegun = state === 'signed' && validFromMs <= atMs
    const isOver = (state === 'active' || state === 'suspended') && validToMs <= atMs
    if (!isBegun && !isOver) continue
    await database.transaction(async (tx) => {
      const agreement = await locked(tx, id)
      if (agreement.state !== state) return
      const because = { by: 'tokenfactory', atMs, reason: isBegun ? 'its term begins' : 'its term is over' }
      if (isBegun) await activate(tx, agreement, because)
      else await close(tx, agreement, 'expired', because)
      turned += 1
    })
  }
  return turned
}
