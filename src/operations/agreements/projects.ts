import { isDeepStrictEqual } from 'node:util'
import type { AgreementTerms, ProjectState, TenderFile } from '#contract'
import { DAY_MS, parseYuan } from '#kernel'
import type { Transaction } from '#platform/postgres'
import type { Actor, AgreementsDeps } from './context.ts'
import { isUscc } from './model/uscc.ts'
import { wayOf } from './model/states.ts'
import { notAllowed, samePerson, unknownThing } from './problems.ts'
import {
  decideObjection,
  insertBid,
  insertObjection,
  insertPackage,
  insertProject,
  lockPackage,
  putSupplier,
  scoreBid,
  selectBids,
  selectObjections,
  selectProjects,
  selectSuppliers,
  updatePackage,
} from './store/projects.ts'
import type { PackageRow } from './store/projects.ts'
import { openEpoch, putShares, selectShares } from './store/shares.ts'
import type { Share } from './store/shares.ts'
import { begin, move } from './transitions.ts'
import type { Because } from './transitions.ts'

export const packageId = (project: string, number: number): string => `${project}/p${number}`

/** Puts a project as announced, with its packages and suppliers; all or nothing. What was announced is not changed by applying another text. */
export async function applyTender(
  deps: AgreementsDeps,
  file: TenderFile,
  { by }: Actor,
): Promise<{ created: boolean }> {
  const { database, clock } = deps
  const estimatePico = parseYuan(file.estimateYuan)
  const ceilings = file.packages.reduce((sum, { ceilingYuan }) => sum + parseYuan(ceilingYuan), 0n)
  if (ceilings > estimatePico)
    throw notAllowed({
      reason: `The ceilings of the packages sum to more than the estimate of the project ${file.id}.`,
    })
  return database.transaction(async (tx) => {
    const atMs = clock.nowMs()
    const because = { by, atMs, reason: 'announced' }
    for (const supplier of file.suppliers) {
      if (supplier.uscc !== null && !isUscc(supplier.uscc))
        throw notAllowed({ reason: `${supplier.uscc} of ${supplier.id} is not a unified social credit code.` })
      await putSupplier(tx, supplier, by, atMs)
    }
    const [known] = await selectProjects(tx, file.id, true)
    if (known) {
      if (!isDeepStrictEqual(known.content, stored(file)))
        throw notAllowed({ reason: `The project ${file.id} was announced with another content, which stands.` })
      return { created: false }
    }
    await insertProject(tx, { id: file.id, state: 'draft', content: stored(file), estimatePico }, by, atMs)
    await begin(tx, 'project', file.id, 'draft', { ...because, reason: 'drawn up' })
    await move(tx, 'project', { id: file.id, state: 'draft' }, 'announced', because)
    for (const each of file.packages) {
      const id = packageId(file.id, each.number)
      const row: PackageRow = {
        id,
        project: file.id,
        number: each.number,
        name: each.name,
        state: 'pending',
        ceilingPico: parseYuan(each.ceilingYuan),
        terms: termsOf(each.terms),
        objectionsUntilMs: null,
        awardProposedBy: null,
      }
      await insertPackage(tx, row)
      await begin(tx, 'package', id, 'pending', because)
      if (each.isOpen) await advance(tx, row, 'open', { ...because, reason: 'bidding has begun' })
    }
    return { created: true }
  })
}

/** Suppliers are kept beside the project and may get their codes later. */
const stored = (file: TenderFile): TenderFile => ({ ...file, suppliers: [] })

function termsOf({ unitPriceYuan, ...terms }: TenderFile['packages'][number]['terms']): AgreementTerms {
  return { ...terms, unitPricePico: `${parseYuan(unitPriceYuan)}` }
}

/** How far the project is when a package is. */
const PROJECT_AT: Readonly<Partial<Record<PackageRow['state'], ProjectState>>> = {
  open: 'bidding',
  evaluated: 'evaluated',
  published: 'published',
  awarded: 'awarded',
  contracted: 'contracted',
}

/** Moves a package, and its project with the furthest of its packages. */
export async function advance(
  tx: Transaction,
  { id, state, project }: Pick<PackageRow, 'id' | 'state' | 'project'>,
  to: PackageRow['state'],
  because: Because,
): Promise<void> {
  await move(tx, 'package', { id, state }, to, because)
  const target = PROJECT_AT[to]
  if (target) await advanceProject(tx, project, target, { ...because, reason: `package ${id} is ${to}` })
}

/** Along the main road, step by step; a project that is further already stays. */
export async function advanceProject(tx: Transaction, id: string, to: ProjectState, because: Because): Promise<void> {
  const [project] = await selectProjects(tx, id, true)
  if (!project) throw unknownThing({ what: 'project', id })
  let { state } = project
  for (const next of wayOf(state, to)) {
    await move(tx, 'project', { id, state }, next, because)
    state = next
  }
}

export async function wantPackage(tx: Transaction, id: string): Promise<PackageRow> {
  const found = await lockPackage(tx, id)
  if (!found) throw unknownThing({ what: 'package', id })
  return found
}

export async function openBidding(
  { database, clock }: AgreementsDeps,
  id: string,
  { by }: Actor,
  reason: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    await advance(tx, await wantPackage(tx, id), 'open', { by, atMs: clock.nowMs(), reason })
  })
}

export async function recordBid(
  { database, clock }: AgreementsDeps,
  id: string,
  bid: {
    readonly supplier: string
    readonly pricePico: bigint
    readonly documentHash: string
    readonly receivedAtMs?: number
  },
  { by }: Actor,
): Promise<void> {
  await database.transaction(async (tx) => {
    const pack = await wantPackage(tx, id)
    if (pack.state !== 'open') throw notAllowed({ reason: `Bids for ${id} are not taken: it is ${pack.state}.` })
    if (bid.pricePico > pack.ceilingPico) throw notAllowed({ reason: `The bid is above the ceiling of ${id}.` })
    const [supplier] = await selectSuppliers(tx, [bid.supplier])
    if (!supplier) throw unknownThing({ what: 'supplier', id: bid.supplier })
    const receivedAtMs = bid.receivedAtMs ?? clock.nowMs()
    if (!(await insertBid(tx, { ...bid, package: id, receivedAtMs }, by)))
      throw notAllowed({ reason: `${bid.supplier} has handed in its bid for ${id} already.` })
  })
}

/** Scores every bid at once: nobody is compared with somebody who was not looked at. */
export async function evaluate(
  { database, clock }: AgreementsDeps,
  id: string,
  scores: Readonly<Record<string, Readonly<Record<string, number>>>>,
  { by }: Actor,
  reason: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const pack = await wantPackage(tx, id)
    const bidders = (await selectBids(tx, id)).map(({ supplier }) => supplier).toSorted()
    const scored = Object.keys(scores).toSorted()
    if (bidders.length === 0 || bidders.join() !== scored.join())
      throw notAllowed({
        reason: `Scores are needed for exactly the bidders of ${id}: ${bidders.join(', ') || 'there are none'}.`,
      })
    const criteria = new Set(Object.values(scores).map((each) => Object.keys(each).toSorted().join()))
    if (criteria.size !== 1) throw notAllowed({ reason: 'Every bid must be scored by the same criteria.' })
    for (const [supplier, points] of Object.entries(scores)) await scoreBid(tx, { package: id, supplier }, points, by)
    await advance(tx, pack, 'evaluated', { by, atMs: clock.nowMs(), reason })
  })
}

/** Publishes the candidates with their shares; from then on they may be objected to. */
export async function publish(
  { database, clock }: AgreementsDeps,
  id: string,
  shares: readonly Share[],
  { by }: Actor,
  reason: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const pack = await wantPackage(tx, id)
    const bidders = new Set((await selectBids(tx, id)).map(({ supplier }) => supplier))
    const sum = shares.reduce((total, { ppm }) => total + ppm, 0)
    if (sum !== 1_000_000) throw notAllowed({ reason: `The shares sum to ${sum / 10_000} %, not to 100 %.` })
    if (new Set(shares.map(({ supplier }) => supplier)).size !== shares.length)
      throw notAllowed({ reason: 'A supplier is named twice.' })
    const stranger = shares.find(({ supplier }) => !bidders.has(supplier))
    if (stranger) throw notAllowed({ reason: `${stranger.supplier} has not bid for ${id}.` })
    await putShares(tx, id, shares)
    const [project] = await selectProjects(tx, pack.project)
    const atMs = clock.nowMs()
    const objectionsUntilMs = atMs + (project?.content.objectionDays ?? 0) * DAY_MS
    await updatePackage(tx, { id, objectionsUntilMs, awardProposedBy: by })
    await advance(tx, pack, 'published', { by, atMs, reason })
  })
}

export async function object(
  { database, clock }: AgreementsDeps,
  id: string,
  { text, raisedBy }: { readonly text: string; readonly raisedBy: string },
): Promise<void> {
  await database.transaction(async (tx) => {
    const pack = await wantPackage(tx, id)
    const atMs = clock.nowMs()
    if (pack.state !== 'published' || atMs >= (pack.objectionsUntilMs ?? 0))
      throw notAllowed({ reason: `Objections to ${id} are not taken now.` })
    await insertObjection(tx, { id, raisedBy, text, atMs })
  })
}

/** An objection that is upheld sends the package back to its evaluation. */
export async function decide(
  { database, clock }: AgreementsDeps,
  { id, seq, decision, reason }: { id: string; seq: number; decision: 'upheld' | 'rejected'; reason: string },
  { by }: Actor,
): Promise<void> {
  await database.transaction(async (tx) => {
    const pack = await wantPackage(tx, id)
    const atMs = clock.nowMs()
    if (!(await decideObjection(tx, { id, seq, decision, by, atMs, reason })))
      throw unknownThing({ what: 'open objection', id: `${seq} of ${id}` })
    if (decision === 'upheld' && pack.state === 'published')
      await advance(tx, pack, 'evaluated', { by, atMs, reason: `objection ${seq} upheld: ${reason}` })
  })
}

/** The award, by another person than who published the candidates, after the window and with no objection open. */
export async function award(
  { database, clock }: AgreementsDeps,
  id: string,
  { by }: Actor,
  reason: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const pack = await wantPackage(tx, id)
    const atMs = clock.nowMs()
    if (pack.awardProposedBy === by) throw samePerson({ by, what: `award of ${id}` })
    if (pack.state === 'published' && atMs < (pack.objectionsUntilMs ?? 0))
      throw notAllowed({
        reason: `Objections to ${id} may be raised until ${new Date(pack.objectionsUntilMs ?? 0).toISOString()}.`,
      })
    const open = (await selectObjections(tx, id)).filter(({ decision }) => decision === null)
    if (open.length > 0) throw notAllowed({ reason: `${open.length} objections to ${id} are not decided yet.` })
    await advance(tx, pack, 'awarded', { by, atMs, reason })
    await openEpoch(tx, id, await selectShares(tx, id))
  })
}
