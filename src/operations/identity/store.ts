import type { ApiKey, Limits, Tenant } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { KeyRow, Project, SessionView } from './model.ts'

/** Taken first by whoever changes keys or tenants, so that two of them follow one another and never wait for each other in a circle. */
export async function lockRevision(tx: Transaction): Promise<void> {
  await tx.rows(sql`select version from identity.revision for update`)
}

/** Takes the row's lock until the transaction ends, so revisions become visible in the order of their numbers. */
export async function bumpRevision(tx: Transaction): Promise<void> {
  await tx.rows(sql`update identity.revision set version = version + 1`)
}

export async function readRevision(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ version: bigint }>(sql`select version from identity.revision`)
  return Number(row?.version ?? 0n)
}

/** What holds for a tenant's requests beside limits, as it was declared. */
type TenantTerms = Pick<Tenant, 'strategy' | 'weight' | 'regions' | 'seesSuppliers'>

interface TenantRow extends Pick<Tenant, 'id' | 'displayName' | 'status' | 'limits'> {
  readonly terms: TenantTerms
}

function tenantOf({ terms, ...row }: TenantRow): Tenant {
  return { ...row, ...terms }
}

/** JSON leaves out what is undefined. */
export function termsOf({ strategy, weight, regions, seesSuppliers }: Tenant): TenantTerms {
  return { strategy, weight, regions, seesSuppliers }
}

/** The status that holds: of what the operator declared and what arrears make of it, the stricter one. */
export async function selectTenants(db: Queryable, only: string | null): Promise<Tenant[]> {
  const rows = await db.rows<TenantRow>(sql`
    select id, display_name as "displayName", limits, terms,
           case when 'suspended' in (status, arrears) then 'suspended'
                when 'restricted' in (status, arrears) then 'restricted'
                else status end as status
      from identity.tenant
     where ${only}::text is null or id = ${only}
     order by id collate "C"
  `)
  return rows.map(tenantOf)
}

/** As the operator declared it, whatever arrears make of it. */
export async function selectDeclaredTenant(db: Queryable, id: string): Promise<Tenant | undefined> {
  const [row] = await db.rows<TenantRow>(sql`
    select id, display_name as "displayName", status, limits, terms from identity.tenant where id = ${id}
  `)
  return row && tenantOf(row)
}

/** True if this changed anything. */
export async function updateArrears(tx: Transaction, tenant: string, arrears: string): Promise<boolean> {
  const rows = await tx.rows(sql`
    update identity.tenant set arrears = ${arrears} where id = ${tenant} and arrears <> ${arrears} returning id
  `)
  return rows.length > 0
}

export async function upsertTenant(tx: Transaction, tenant: Tenant, now: Date): Promise<void> {
  await tx.rows(sql`
    insert into identity.tenant (id, display_name, status, limits, terms, created_at)
    values (${tenant.id}, ${tenant.displayName}, ${tenant.status}, ${JSON.stringify(tenant.limits)},
            ${JSON.stringify(termsOf(tenant))}, ${now})
        on conflict (id) do update
       set display_name = excluded.display_name, status = excluded.status, limits = excluded.limits,
           terms = excluded.terms
  `)
}

/** All of them, or the one. */
export async function selectProjects(
  db: Queryable,
  only: Pick<Project, 'tenant' | 'id'> | null = null,
): Promise<Project[]> {
  return db.rows<Project>(sql`
    select tenant, id, display_name as "displayName"
      from identity.project
     where ${only?.tenant ?? null}::text is null
        or (tenant = ${only?.tenant ?? null} and id = ${only?.id ?? null})
     order by tenant collate "C", id
  `)
}

export async function upsertProject(tx: Transaction, { tenant, id, displayName }: Project): Promise<void> {
  await tx.rows(sql`
    insert into identity.project (tenant, id, display_name)
    values (${tenant}, ${id}, ${displayName})
        on conflict (tenant, id) do update
       set display_name = excluded.display_name
  `)
}

interface KeyColumns extends Omit<KeyRow, 'createdAtMs' | 'expiresAtMs'> {
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

function keyRow({ createdAt, expiresAt, ...rest }: KeyColumns): KeyRow {
  return { ...rest, createdAtMs: createdAt.getTime(), expiresAtMs: expiresAt?.getTime() ?? null }
}

/** Newest first. Playground keys are not listed: nobody can do anything with them. */
export async function selectKeys(db: Queryable, tenant: string | null): Promise<KeyRow[]> {
  const rows = await db.rows<KeyColumns>(sql`
    select id, tenant, name, purpose, preview, status, project, limits, created_at as "createdAt", expires_at as "expiresAt"
      from identity.api_key
     where purpose = 'api'
       and (${tenant}::text is null or tenant = ${tenant})
     order by created_at desc, id collate "C" desc
  `)
  return rows.map(keyRow)
}

/** Of every key there ever was, also those of which gateways are no longer told. */
export async function selectKeyOwners(db: Queryable): Promise<{ readonly id: string; readonly tenant: string }[]> {
  return db.rows<{ id: string; tenant: string }>(sql`select id, tenant from identity.api_key`)
}

export async function selectKey(db: Queryable, id: string): Promise<KeyRow | undefined> {
  const [row] = await db.rows<KeyColumns>(sql`
    select id, tenant, name, purpose, preview, status, project, limits, created_at as "createdAt", expires_at as "expiresAt"
      from identity.api_key
     where id = ${id}
  `)
  return row && keyRow(row)
}

/**
 * Every key that works, and of each tenant the `ended.most` that ended last after `ended.after`, so that gateways can say what
 * became of them. Playground keys are gone when they expire: they only lived for minutes.
 */
export async function selectKeysForGateways(
  db: Queryable,
  now: Date,
  ended: { readonly after: Date; readonly most: number },
): Promise<(ApiKey & { readonly project: string | null })[]> {
  const rows = await db.rows<
    Omit<ApiKey, 'expiresAtMs'> & { readonly project: string | null; readonly expiresAt: Date | null }
  >(sql`
    select id, tenant, name, hash, status, project, limits, expires_at as "expiresAt"
      from identity.api_key
     where status = 'active' and (expires_at is null or expires_at > ${now})
     union all
    select id, tenant, name, hash, status, project, limits, expires_at
      from (select *, row_number() over (partition by tenant order by coalesce(revoked_at, expires_at) desc, id) as place
              from identity.api_key
             where purpose = 'api'
               and (status = 'revoked' or expires_at <= ${now})
               and coalesce(revoked_at, expires_at) > ${ended.after}) as ended
     where place <= ${ended.most}
     order by id
  `)
  return rows.map(({ expiresAt, ...rest }) => ({ ...rest, expiresAtMs: expiresAt?.getTime() ?? null }))
}

export interface KeyInsert {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly purpose: 'api' | 'playground'
  readonly hash: string
  readonly preview: string
  readonly project: string | null
  readonly limits: Limits
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

export async function insertKey(tx: Transaction, key: KeyInsert): Promise<void> {
  await tx.rows(sql`
    insert into identity.api_key (id, tenant, name, purpose, hash, preview, status, project, limits, created_at,
                                  expires_at)
    values (${key.id}, ${key.tenant}, ${key.name}, ${key.purpose}, ${key.hash}, ${key.preview}, 'active',
            ${key.project}, ${JSON.stringify(key.limits)}, ${key.createdAt}, ${key.expiresAt})
  `)
}

export async function updateKey(
  tx: Transaction,
  key: Pick<KeyInsert, 'id' | 'name' | 'project' | 'limits' | 'expiresAt'>,
): Promise<void> {
  await tx.rows(sql`
    update identity.api_key
       set name = ${key.name}, project = ${key.project}, limits = ${JSON.stringify(key.limits)}, expires_at = ${key.expiresAt}
     where id = ${key.id}
  `)
}

export async function revokeKey(tx: Transaction, id: string, now: Date): Promise<void> {
  await tx.rows(sql`update identity.api_key set status = 'revoked', revoked_at = ${now} where id = ${id}`)
}

/** How many keys of a tenant work now. */
export async function countLiveKeys(
  db: Queryable,
  { tenant, purpose }: Pick<KeyRow, 'tenant' | 'purpose'>,
  now: Date,
): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`
    select count(*) as count
      from identity.api_key
     where tenant = ${tenant}
       and purpose = ${purpose}
       and status = 'active'
       and (expires_at is null or expires_at > ${now})
  `)
  return Number(row?.count ?? 0n)
}

/** Usage records name keys by their id and keep it, so the row itself may go. */
export async function deletePlaygroundKeys(tx: Transaction, expiredBefore: Date): Promise<void> {
  await tx.rows(sql`delete from identity.api_key where purpose = 'playground' and expires_at <= ${expiredBefore}`)
}

export interface AccountInsert extends SessionView {
  readonly passwordHash: string
  readonly createdAt: Date
}

/** False if the address is taken. */
export async function insertAccount(db: Queryable, account: AccountInsert): Promise<boolean> {
  const rows = await db.rows(sql`
    insert into identity.account (email, role, tenant, supplier, password_hash, created_at)
    values (${account.email}, ${account.role}, ${account.tenant}, ${account.supplier}, ${account.passwordHash}, ${account.createdAt})
        on conflict (email) do nothing
    returning email
  `)
  return rows.length > 0
}

export async function selectAccount(
  db: Queryable,
  email: string,
): Promise<(SessionView & { readonly passwordHash: string }) | undefined> {
  const [row] = await db.rows<SessionView & { passwordHash: string }>(sql`
    select email, role, tenant, supplier, password_hash as "passwordHash" from identity.account where email = ${email}
  `)
  return row
}

export async function insertSession(
  db: Queryable,
  session: { tokenHash: string; email: string; createdAt: Date; expiresAt: Date },
): Promise<void> {
  await db.rows(sql`
    insert into identity.session (token_hash, email, created_at, expires_at)
    values (${session.tokenHash}, ${session.email}, ${session.createdAt}, ${session.expiresAt})
  `)
}

export async function selectSession(db: Queryable, tokenHash: string, now: Date): Promise<SessionView | undefined> {
  const [row] = await db.rows<SessionView>(sql`
    select account.email, account.role, account.tenant, account.supplier
      from identity.session
      join identity.account using (email)
     where session.token_hash = ${tokenHash}
       and session.expires_at > ${now}
  `)
  return row
}

export async function deleteSession(db: Queryable, tokenHash: string): Promise<void> {
  await db.rows(sql`delete from identity.session where token_hash = ${tokenHash}`)
}

export async function deleteExpiredSessions(db: Queryable, now: Date): Promise<void> {
  await db.rows(sql`delete from identity.session where expires_at <= ${now}`)
}

/** Whoever is signed in with the old password is signed out. */
export async function updatePassword(tx: Transaction, email: string, passwordHash: string): Promise<void> {
  await tx.rows(sql`update identity.account set password_hash = ${passwordHash} where email = ${email}`)
  await tx.rows(sql`delete from identity.session where email = ${email}`)
}
