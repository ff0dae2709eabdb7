import type { ApplyReply, FactoryMistake } from '#contract'
import type { Identity } from '#identity'
import type { Transaction } from '#platform/postgres'
import { declared, deploymentRows, serviceRow, supplierRow } from './declare.ts'
import { checkCalendars, putCalendars } from './calendars/service.ts'
import { selectCalendars } from './calendars/store.ts'
import { SHEETS, VERSIONS } from './dated-kinds.ts'
import { actionFor } from './changes.ts'
import type { Change, Note } from './changes.ts'
import { parseFactoryFile } from './factory-file.ts'
import { putOffers } from './offers/service.ts'
import type { FactoryParts } from './factory-parts.ts'
import { projectKey } from './factory-references.ts'
import { fundingHash } from './for-gateways.ts'
import { lockAccounts, putPayments, putTerms } from './money/service.ts'
import type { Money } from './money/service.ts'
import { planDated } from './plan-dated.ts'
import { factoryFileMistakes } from './problems.ts'
import { reported } from './reported.ts'
import * as store from './store.ts'
import { putRouting } from './routing/service.ts'
import { putTables } from './tables/service.ts'
import * as tables from './tables/store.ts'
import type { YamlPath } from './yaml-source.ts'

export interface ApplyDeps {
  readonly identity: Identity
  readonly money: Money
}

/** A change of these is one that gateways must hear of from the catalogue; identity counts its own. */
const TOLD_TO_GATEWAYS: ReadonlySet<Change['kind']> = new Set([
  'supplier',
  'service',
  'price-sheet',
  'table',
  'calendar',
  'offer',
  'link',
  'commitment',
])

/**
 * Puts a file in force within `tx`, or throws `factory_file_mistakes` with all of them. The caller decides whether the
 * transaction is committed.
 */
export async function applyInTransaction(
  tx: Transaction,
  { identity, money }: ApplyDeps,
  { text, fileName, nowMs }: { readonly text: string; readonly fileName: string; readonly nowMs: number },
): Promise<ApplyReply> {
  await store.lockRevision(tx)
  await identity.lock(tx)
  const suppliers = await store.selectSuppliers(tx)
  const services = await store.selectServices(tx)
  const deployments = await store.selectDeployments(tx)
  const sheets = { inForce: await store.selectSheets(tx), withdrawnIds: await store.selectWithdrawnSheetIds(tx) }
  const versions = {
    inForce: await tables.selectVersions(tx),
    withdrawnIds: new Set((await tables.selectWithdrawnVersions(tx)).map(({ id }) => id)),
  }
  const calendars = await selectCalendars(tx)
  const { tenants } = await identity.directory(tx)
  const known = {
    suppliers: new Set(suppliers.map(({ id }) => id)),
    tenants: new Set(tenants.map(({ id }) => id)),
    services: new Set(services.map(({ id }) => id)),
    calendars: new Set(calendars.map(({ id }) => id)),
    tables: new Set((await tables.selectTables(tx)).map(({ id }) => id)),
    projects: new Set((await identity.projects(tx)).map(({ tenant, id }) => projectKey(tenant, id))),
  }

  const { file, parts, mistakes, mistake } = parseFactoryFile(text, fileName, { nowMs, known })
  const found: FactoryMistake[] = [...mistakes]
  const say = (path: YamlPath, message: string) => found.push(mistake(path, message))
  checkKeys(parts.keys, await identity.keyOwners(tx), nowMs, say)
  const sheetPlan = planDated(SHEETS, parts.sheets, sheets, nowMs)
  const versionPlan = planDated(VERSIONS, parts.versions, versions, nowMs)
  for (const { path, message } of [...sheetPlan.mistakes, ...versionPlan.mistakes]) say(path, message)
  checkCalendars(parts.calendars, calendars, nowMs, say)
  if (!file || found.length > 0) {
    // Only to hear which payments would be refused: what is thrown takes them back.
    await lockAccounts(tx, money, parts)
    await putPayments(tx, { money, nowMs, note: () => undefined }, parts, say)
    throw factoryFileMistakes({ mistakes: reported(found) })
  }

  const changes: Change[] = []
  let isChanged = false
  const note: Note = (kind, id, action) => {
    changes.push({ kind, id, action })
    isChanged ||= action !== 'unchanged' && TOLD_TO_GATEWAYS.has(kind)
  }

  await putCalendars(tx, parts.calendars, calendars, note)
  for (const supplier of file.suppliers) {
    const row = supplierRow(supplier)
    const action = actionFor(
      suppliers.find(({ id }) => id === row.id),
      row,
    )
    if (action !== 'unchanged') await store.upsertSupplier(tx, row)
    note('supplier', row.id, action)
  }
  for (const tenant of file.tenants) {
    const { id, name = id, status, limits } = tenant
    const terms = declared(tenant, ['strategy', 'weight', 'regions', 'seesSuppliers'])
    note('tenant', id, await identity.putTenant(tx, { id, displayName: name, status, limits, ...terms }))
    for (const { id: project, name: title = project } of tenant.projects)
      note(
        'project',
        projectKey(id, project),
        await identity.putProject(tx, { tenant: id, id: project, displayName: title }),
      )
  }
  for (const service of file.services) {
    const row = serviceRow(service)
    const rows = deploymentRows(service)
    const existing = services.find(({ id }) => id === row.id)
    const action = actionFor(
      existing && { ...existing, deployments: deployments.filter(({ service: of }) => of === row.id) },
      { ...row, createdAt: existing?.createdAt, deployments: rows },
    )
    if (action !== 'unchanged') {
      await store.upsertService(tx, row, new Date(nowMs))
      await store.replaceDeployments(tx, row.id, rows)
    }
    note('service', row.id, action)
  }
  for (const { row, action } of sheetPlan.changes) {
    if (action !== 'unchanged') await store.upsertSheet(tx, row)
    note('price-sheet', row.id, action)
  }
  for (const { id } of sheetPlan.withdrawn) {
    await store.withdrawSheet(tx, id)
    note('price-sheet', id, 'updated')
  }
  await putRouting(tx, file, note)
  await putTables(tx, file.tables, versionPlan, note)
  await putOffers(tx, file.offers, nowMs, note, say)
  const newKeys: ApplyReply['newKeys'] = []
  for (const key of file.keys) {
    const { id, tenant, name = id, project, limits, expiresAt } = key
    const { action, made } = await identity.putKey(tx, { id, tenant, name, project, limits, expiresAtMs: expiresAt })
    if (made) newKeys.push(made)
    note('key', id, action)
  }
  if (isChanged) await store.bumpRevision(tx)
  await putTerms(tx, { money, nowMs, note }, file, parts)
  await store.noteFunding(tx, fundingHash(await money.funding(tx)))
  await putPayments(tx, { money, nowMs, note }, parts, say)
  if (found.length > 0) throw factoryFileMistakes({ mistakes: reported(found) })
  return { changes, newKeys }
}

function checkKeys(
  keys: FactoryParts['keys'],
  owners: ReadonlyMap<string, string>,
  nowMs: number,
  say: (path: YamlPath, message: string) => void,
): void {
  for (const { key, path } of keys) {
    const owner = owners.get(key.id)
    if (owner !== undefined && owner !== key.tenant)
      say(
        [...path, 'tenant'],
        `the key ${key.id} belongs to ${owner}, and a key never changes its tenant: give it another id`,
      )
    if (owner === undefined && key.expiresAt !== null && key.expiresAt <= nowMs)
      say([...path, 'expiresAt'], 'the key would have expired before it could be used')
  }
}
