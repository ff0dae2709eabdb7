import type { FactoryFile, FactoryTenant } from '#contract'
import type { Charging } from '#charging'
import { Problem, parseYuan } from '#kernel'
import type { Transaction } from '#platform/postgres'
import type { Note, SayAt } from '../changes.ts'
import type { FactoryParts } from '../factory-parts.ts'
import type { YamlPath } from '../yaml-source.ts'
import { capsOfKey, capsOfTenant, ownerOf } from './caps.ts'
import type { Cap } from './caps.ts'
import * as store from './store.ts'

/** What a file does to money. Whatever charging refuses is a mistake at its place. */
export type Money = Pick<
  Charging,
  | 'lockAccounts'
  | 'openAccount'
  | 'buckets'
  | 'putDefinition'
  | 'endDefinition'
  | 'putShare'
  | 'endShare'
  | 'grantLot'
  | 'topupIn'
  | 'funding'
  | 'deliveredTokens'
>

interface Deps {
  readonly money: Money
  readonly nowMs: number
  readonly note: Note
}

/**
 * Budgets, shares and credit of the tenants and keys that the file names, and the locks for what follows. Charging locks buckets by
 * name, and caps come before wallets; accounts are locked all at once, else two postings of one transaction may deadlock.
 */
export async function putTerms(tx: Transaction, deps: Deps, file: FactoryFile, parts: FactoryParts): Promise<void> {
  await putCaps(tx, deps, file)
  for (const tenant of file.tenants) await putShares(tx, deps, tenant)
  const withCredit = file.tenants.filter(({ credit }) => credit !== undefined)
  await lockAccounts(tx, deps.money, parts, withCredit)
  for (const tenant of withCredit) await putCredit(tx, deps, tenant)
}

/** Of all whom a file gives money or credit. */
export async function lockAccounts(
  tx: Transaction,
  money: Money,
  { topups, gifts }: FactoryParts,
  withCredit: readonly FactoryTenant[] = [],
): Promise<void> {
  const tenants = new Set([...topups, ...gifts].map(({ tenant }) => tenant))
  for (const { id } of withCredit) tenants.add(id)
  if (tenants.size > 0)
    await money.lockAccounts(
      tx,
      [...tenants].map((tenant) => ({ tenant })),
    )
}

/** Beside what was ordered, which the file says nothing about. A tenant whose credit the file does not state keeps what it has. */
async function putCredit(tx: Transaction, { money, note }: Deps, { id, credit }: FactoryTenant): Promise<void> {
  if (credit === undefined) return
  const { mode } = credit
  const creditLimitPico = parseYuan(credit.limitYuan)
  const wallet = (await money.buckets({ tenant: id }, tx)).find(({ kind }) => kind === 'wallet')
  const isSame = wallet?.creditDeclared === creditLimitPico && wallet.mode === mode
  if (!isSame) await money.openAccount(tx, { tenant: id, creditLimitPico, mode })
  note('credit', id, isSame ? 'unchanged' : wallet && wallet.creditDeclared > 0n ? 'updated' : 'created')
}

async function putCaps(tx: Transaction, { money, nowMs, note }: Deps, file: FactoryFile): Promise<void> {
  const wanted: readonly Cap[] = [...file.tenants.flatMap(capsOfTenant), ...file.keys.flatMap(capsOfKey)].toSorted(
    (a, b) => (a.id < b.id ? -1 : 1),
  )
  for (const cap of wanted) note('budget', cap.id.slice('cap:'.length), await money.putDefinition(tx, cap))

  const ids = new Set(wanted.map(({ id }) => id))
  const named = { tenant: new Set(file.tenants.map(({ id }) => id)), key: new Set(file.keys.map(({ id }) => id)) }
  const { caps } = await money.funding(tx)
  for (const { id, scope } of [...caps.values()].flat())
    if (!ids.has(id) && named[scope === 'key' ? 'key' : 'tenant'].has(ownerOf(id))) {
      await money.endDefinition(tx, { id, atMs: nowMs })
      note('budget', id.slice('cap:'.length), 'retired')
    }
}

async function putShares(tx: Transaction, { money, nowMs, note }: Deps, tenant: FactoryTenant): Promise<void> {
  const { id: owner, sharesWith } = tenant
  const before = await store.selectDeclaredShares(tx, owner)
  for (const member of sharesWith) {
    const isNew = !before.includes(member)
    if (isNew) {
      await money.putShare(tx, { owner, member, fromMs: nowMs })
      await store.insertDeclaredShare(tx, owner, member)
    }
    note('share', `${owner}/${member}`, isNew ? 'created' : 'unchanged')
  }
  for (const member of before.filter((each) => !sharesWith.includes(each))) {
    await money.endShare(tx, { owner, member, atMs: nowMs })
    await store.deleteDeclaredShare(tx, owner, member)
    note('share', `${owner}/${member}`, 'retired')
  }
}

/** Gifts and payments: last, because from the first posting to the end of the transaction nobody else can post. */
export async function putPayments(
  tx: Transaction,
  { money, nowMs, note }: Deps,
  { gifts, topups }: FactoryParts,
  say: SayAt,
): Promise<void> {
  for (const { tenant, payment, path } of gifts) {
    const { reference, amountYuan, expiresAt } = payment
    const amount = parseYuan(amountYuan)
    await told(path, say, async () => {
      // It may have been given long ago; if it was not, there is nothing left to give.
      if (expiresAt !== null && expiresAt <= nowMs) return note('gift', reference, 'unchanged')
      const memo = `gift ${reference}`
      const grant = { tenant, unit: 'CNY', source: 'gift', amount, reference: `gift:${reference}`, memo } as const
      const { booked } = await money.grantLot(tx, { ...grant, expiresAtMs: expiresAt })
      note('gift', reference, booked ? 'created' : 'unchanged')
    })
  }
  for (const { tenant, payment, path } of topups) {
    const { reference, amountYuan } = payment
    await told(path, say, async () => {
      const { booked } = await money.topupIn(tx, { tenant, amountPico: parseYuan(amountYuan), reference })
      note('topup', reference, booked ? 'created' : 'unchanged')
    })
  }
}

/** Only what was refused by a rule is the file's mistake; a broken database is not. */
async function told(path: YamlPath, say: SayAt, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    say(path, error.message)
  }
}
