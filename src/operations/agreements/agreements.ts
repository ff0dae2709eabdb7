import type {
  AgreementView,
  AuditTerms,
  CallOffView,
  PackageView,
  ProjectView,
  SlaTerm,
  TenderSupplier,
} from '#contract'
import { withRetries } from '#platform/postgres'
import * as callOffs from './call-offs.ts'
import type { Actor, AgreementsDeps } from './context.ts'
import * as framework from './framework.ts'
import * as projects from './projects.ts'
import { selectAgreements } from './store/agreements.ts'
import type { AgreementFilter, AgreementRow } from './store/agreements.ts'
import type { CallOffFilter } from './store/call-offs.ts'
import { selectSuppliers } from './store/projects.ts'
import type { Share } from './store/shares.ts'
import { readRevision } from './store/transitions.ts'
import { supplyTerms } from './supply.ts'
import type { SupplyTerms } from './supply.ts'
import { readTender } from './tender-file.ts'
import { agreementViews, callOffViews, packageView, projectViews } from './views.ts'

/** Every change takes who and why, and throws `illegal_transition`, `same_person`, `not_allowed_by_terms` or `unknown_supply_object`. */
export interface Agreements {
  applyTender(text: string, fileName: string, actor: Actor): Promise<{ created: boolean; project: ProjectView }>
  openBidding(packageId: string, actor: Actor, reason: string): Promise<PackageView>
  recordBid(packageId: string, bid: Parameters<typeof projects.recordBid>[2], actor: Actor): Promise<PackageView>
  evaluate(
    packageId: string,
    scores: Readonly<Record<string, Readonly<Record<string, number>>>>,
    actor: Actor,
    reason: string,
  ): Promise<PackageView>
  publish(packageId: string, shares: readonly Share[], actor: Actor, reason: string): Promise<PackageView>
  object(packageId: string, objection: { readonly text: string; readonly raisedBy: string }): Promise<PackageView>
  decide(
    objection: { id: string; seq: number; decision: 'upheld' | 'rejected'; reason: string },
    actor: Actor,
  ): Promise<PackageView>
  award(packageId: string, actor: Actor, reason: string): Promise<PackageView>
  draft(wanted: Parameters<typeof framework.draftAgreement>[1], actor: Actor): Promise<AgreementView>
  submit(id: string, actor: Actor, reason: string): Promise<AgreementView>
  sign(id: string, actor: Actor, reason: string): Promise<AgreementView>
  suspend(id: string, actor: Actor, reason: string): Promise<AgreementView>
  resume(id: string, actor: Actor, reason: string): Promise<AgreementView>
  terminate(id: string, actor: Actor, reason: string): Promise<AgreementView>
  propose(
    order: { readonly package: string; readonly units: number; readonly reason: string },
    actor: Actor,
  ): Promise<CallOffView[]>
  issue(batch: string, actor: Actor, reason: string): Promise<CallOffView[]>
  /** `supplier`: the one who acts; to it the orders of others do not exist. */
  acknowledge(id: string, actor: Actor, reason: string, supplier?: string): Promise<CallOffView>
  startDelivery(id: string, actor: Actor, reason: string, supplier?: string): Promise<CallOffView>
  deliver(id: string, units: number, actor: Actor, supplier?: string): Promise<CallOffView>
  reject(id: string, actor: Actor, reason: string): Promise<CallOffView>
  acceptCallOff(
    id: string,
    accepted: { readonly reportHash: string; readonly reason: string },
    actor: Actor,
  ): Promise<CallOffView>
  revokeAcceptance(id: string, actor: Actor, reason: string): Promise<CallOffView>
  terminateCallOff(id: string, actor: Actor, reason: string): Promise<CallOffView>
  stopClock(id: string, actor: Actor, reason: string): Promise<CallOffView>
  resumeClock(id: string): Promise<CallOffView>
  projects(): Promise<ProjectView[]>
  project(id: string): Promise<ProjectView>
  package(id: string): Promise<PackageView>
  suppliers(): Promise<TenderSupplier[]>
  agreements(filter: AgreementFilter): Promise<AgreementView[]>
  callOffs(filter: CallOffFilter): Promise<CallOffView[]>
  /** For audit and settlement: agreements of a supplier that were in force at a time. */
  agreementsOf(supplier: string, atMs: number): Promise<AgreementRow[]>
  /** What the agreement that was in force says of counts that differ; undefined: there was none. */
  auditTermsOf(supplier: string, atMs: number): Promise<AuditTerms | undefined>
  /** What the agreement that was in force promises; undefined: there was none. */
  slaOf(supplier: string, atMs: number): Promise<readonly SlaTerm[] | undefined>
  callOffsOf(agreement: string): Promise<CallOffView[]>
  supplyTerms(): Promise<SupplyTerms>
  /** Counts up with every change that gateways must hear of. */
  revision(): Promise<number>
  /** What time alone brings about. */
  runDue(): Promise<{ turned: number }>
}

export function createAgreements(options: AgreementsDeps): Agreements {
  const deps = { ...options, database: withRetries(options.database) }
  const { database, clock } = deps
  const pack = async (id: string, work: Promise<void>): Promise<PackageView> => {
    await work
    return packageView(database, id)
  }
  const agreement = async (id: string, work?: Promise<void>): Promise<AgreementView> => {
    await work
    const [view] = await agreementViews(database, { id })
    if (!view) throw new Error(`agreement ${id} is gone`)
    return view
  }
  const order = async (id: string, work: Promise<unknown>): Promise<CallOffView> => {
    await work
    const [view] = await callOffViews(database, { id }, clock.nowMs())
    if (!view) throw new Error(`call-off ${id} is gone`)
    return view
  }
  const project = async (id: string): Promise<ProjectView> => {
    const [view] = await projectViews(database, id)
    if (!view) throw new Error(`project ${id} is gone`)
    return view
  }
  const agreementsAt = async (supplier: string, atMs: number): Promise<AgreementRow[]> => {
    const all = await selectAgreements(database, { supplier })
    return all.filter(
      ({ signedBy, validFromMs, validToMs }) => signedBy !== null && validFromMs <= atMs && atMs < validToMs,
    )
  }
  return {
    async applyTender(text, fileName, actor) {
      const file = readTender(text, fileName)
      const { created } = await projects.applyTender(deps, file, actor)
      return { created, project: await project(file.id) }
    },
    openBidding: (id, actor, reason) => pack(id, projects.openBidding(deps, id, actor, reason)),
    recordBid: (id, bid, actor) => pack(id, projects.recordBid(deps, id, bid, actor)),
    evaluate: (id, scores, actor, reason) => pack(id, projects.evaluate(deps, id, scores, actor, reason)),
    publish: (id, shares, actor, reason) => pack(id, projects.publish(deps, id, shares, actor, reason)),
    object: (id, objection) => pack(id, projects.object(deps, id, objection)),
    decide: (objection, actor) => pack(objection.id, projects.decide(deps, objection, actor)),
    award: (id, actor, reason) => pack(id, projects.award(deps, id, actor, reason)),
    draft: async (wanted, actor) => agreement(await framework.draftAgreement(deps, wanted, actor)),
    submit: (id, actor, reason) => agreement(id, framework.submitAgreement(deps, id, actor, reason)),
    sign: (id, actor, reason) => agreement(id, framework.signAgreement(deps, id, actor, reason)),
    suspend: (id, actor, reason) => agreement(id, framework.endAgreement(deps, id, 'suspended', actor, reason)),
    resume: (id, actor, reason) => agreement(id, framework.resumeAgreement(deps, id, actor, reason)),
    terminate: (id, actor, reason) => agreement(id, framework.endAgreement(deps, id, 'terminated', actor, reason)),
    async propose(wanted, actor) {
      const batch = await callOffs.proposeCallOff(deps, wanted, actor)
      return callOffViews(database, { batch }, clock.nowMs())
    },
    async issue(batch, actor, reason) {
      await callOffs.issueCallOff(deps, batch, actor, reason)
      return callOffViews(database, { batch }, clock.nowMs())
    },
    acknowledge: (id, actor, reason, supplier) =>
      order(id, callOffs.stepCallOff(deps, id, 'acknowledged', actor, { reason, supplier })),
    startDelivery: (id, actor, reason, supplier) =>
      order(id, callOffs.stepCallOff(deps, id, 'inDelivery', actor, { reason, supplier })),
    deliver: (id, units, actor, supplier) => order(id, callOffs.deliverCallOff(deps, id, units, actor, supplier)),
    reject: (id, actor, reason) => order(id, callOffs.rejectCallOff(deps, id, actor, reason)),
    acceptCallOff: (id, accepted, actor) => order(id, callOffs.acceptCallOff(deps, id, accepted, actor)),
    revokeAcceptance: (id, actor, reason) => order(id, callOffs.revokeAcceptance(deps, id, actor, reason)),
    terminateCallOff: (id, actor, reason) => order(id, callOffs.terminateCallOff(deps, id, actor, reason)),
    stopClock: (id, actor, reason) => order(id, callOffs.stopClock(deps, id, actor, reason)),
    resumeClock: (id) => order(id, callOffs.resumeClock(deps, id)),
    projects: () => projectViews(database, null),
    project,
    package: (id) => packageView(database, id),
    suppliers: () => selectSuppliers(database),
    agreements: (filter) => agreementViews(database, filter),
    callOffs: (filter) => callOffViews(database, filter, clock.nowMs()),
    async auditTermsOf(supplier, atMs) {
      return (await agreementsAt(supplier, atMs)).at(-1)?.terms.audit
    },
    async slaOf(supplier, atMs) {
      return (await agreementsAt(supplier, atMs)).at(-1)?.terms.sla
    },
    agreementsOf: agreementsAt,
    callOffsOf: (id) => callOffViews(database, { agreement: id }, clock.nowMs()),
    supplyTerms: () => supplyTerms(deps),
    revision: () => readRevision(database),
    async runDue() {
      return { turned: (await framework.turnAgreements(deps)) + (await callOffs.turnCallOffs(deps)) }
    },
  }
}
