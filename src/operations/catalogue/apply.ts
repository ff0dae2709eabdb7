import { isDeepStrictEqual } from 'node:util'
import type { ApplyReply, FactoryFile, FactoryMistake } from '#contract'
import { Problem, parseYuan } from '#kernel'
import type { Pico } from '#kernel'
import type { Identity } from '#identity'
import type { Transaction } from '#platform/postgres'
import { declaredSheets, deploymentRows, serviceRow, supplierRow } from './declare.ts'
import { parseFactoryFile } from './factory-file.ts'
import { planSheets } from './plan-sheets.ts'
import { factoryFileMistakes } from './problems.ts'
import * as store from './store.ts'
import type { YamlPath } from './yaml-source.ts'

/** Where top-ups go. Repeating a reference books nothing; the same reference for another payment throws a Problem. */
export interface Wallets {
  /** Called once before the first top-up of a transaction, with all tenants concerned, so that running requests are not crossed. */
  lock(tx: Transaction, tenants: readonly string[]): Promise<void>
  topUp(
    tx: Transaction,
    topup: { readonly tenant: string; readonly amountPico: Pico; readonly reference: string },
  ): Promise<{ readonly created: boolean }>
}

export interface ApplyDeps {
  readonly identity: Identity
  readonly wallets: Wallets
}

type Change = ApplyReply['changes'][number]

/**
 * Puts a file in force within `tx`, or throws `factory_file_mistakes` with all of them. The caller decides whether the
 * transaction is committed.
 */
export async function applyInTransaction(
  tx: Transaction,
  { identity, wallets }: ApplyDeps,
  { text, fileName, nowMs }: { readonly text: string; readonly fileName: string; readonly nowMs: number },
): Promise<ApplyReply> {
  await store.lockRevision(tx)
  const suppliers = await store.selectSuppliers(tx)
  const services = await store.selectServices(tx)
  const deployments = await store.selectDeployments(tx)
  const sheets = await store.selectSheets(tx)
  const directory = await identity.directory(tx)
  const known = {
    suppliers: new Set(suppliers.map(({ id }) => id)),
    tenants: new Set(directory.tenants.map(({ id }) => id)),
  }

  const { file, mistakes, mistake } = parseFactoryFile(text, fileName, { nowMs, known })
  if (!file) throw factoryFileMistakes({ mistakes })
  const found: FactoryMistake[] = []
  const say = (path: YamlPath, message: string) => found.push(mistake(path, message))
  const refuse = () => {
    if (found.length > 0)
      throw factoryFileMistakes({ mistakes: found.toSorted((a, b) => a.line - b.line || a.column - b.column) })
  }

  checkKeys(file, directory.keys, nowMs, say)
  const plan = planSheets(declaredSheets(file), sheets, nowMs)
  for (const { path, message } of plan.mistakes) say(path, message)
  refuse()

  const changes: Change[] = []
  let isChanged = false
  const note = (kind: Change['kind'], id: string, action: Change['action']) => {
    changes.push({ kind, id, action })
    isChanged ||= action !== 'unchanged' && (kind === 'supplier' || kind === 'service' || kind === 'price-sheet')
  }

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
    note('tenant', id, await identity.putTenant(tx, { id, displayName: name, status, limits }))
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
  for (const { row, action } of plan.changes) {
    if (action !== 'unchanged') await store.upsertSheet(tx, row)
    note('price-sheet', row.id, action)
  }
  const newKeys: ApplyReply['newKeys'] = []
  for (const key of file.keys) {
    const { id, tenant, name = id, limits, expiresAt } = key
    const { action, made } = await identity.putKey(tx, { id, tenant, name, limits, expiresAtMs: expiresAt })
    if (made) newKeys.push(made)
    note('key', id, action)
  }
  if (isChanged) await store.bumpRevision(tx)
  // Last, because from the first posting to the end of the transaction nobody else can post.
  await topUpAll(tx, wallets, file, note, say)
  refuse()
  return { changes, newKeys }
}

function checkKeys(
  file: FactoryFile,
  existing: readonly { readonly id: string; readonly tenant: string }[],
  nowMs: number,
  say: (path: YamlPath, message: string) => void,
): void {
  for (const [index, key] of file.keys.entries()) {
    const own = existing.find(({ id }) => id === key.id)
    if (own && own.tenant !== key.tenant)
      say(
        ['keys', index, 'tenant'],
        `the key ${key.id} belongs to ${own.tenant}, and a key never changes its tenant: give it another id`,
      )
    if (!own && key.expiresAt !== null && key.expiresAt <= nowMs)
      say(['keys', index, 'expiresAt'], 'the key would have expired before it could be used')
  }
}

async function topUpAll(
  tx: Transaction,
  wallets: Wallets,
  file: FactoryFile,
  note: (kind: 'topup', id: string, action: 'created' | 'unchanged') => void,
  say: (path: YamlPath, message: string) => void,
): Promise<void> {
  const tenants = file.tenants.filter(({ topups }) => topups.length > 0).map(({ id }) => id)
  if (tenants.length > 0) await wallets.lock(tx, tenants)
  for (const [index, { id: tenant, topups }] of file.tenants.entries()) {
    for (const [position, { reference, amountYuan }] of topups.entries()) {
      try {
        const { created } = await wallets.topUp(tx, { tenant, amountPico: parseYuan(amountYuan), reference })
        note('topup', reference, created ? 'created' : 'unchanged')
      } catch (error) {
        // Only what was refused by a rule is the file's mistake; a broken database is not.
        if (!(error instanceof Problem)) throw error
        say(['tenants', index, 'topups', position], error.message)
      }
    }
  }
}

function actionFor(existing: object | undefined, wanted: object): 'created' | 'updated' | 'unchanged' {
  if (existing === undefined) return 'created'
  return isDeepStrictEqual({ ...existing }, { ...wanted }) ? 'unchanged' : 'updated'
}
