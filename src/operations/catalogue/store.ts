import type { Deployment, PeakHours, PriceVariant, Service, Supplier, TokenizerSpec } from '#contract'
import { sql, sqlState } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import { byPriority } from './model.ts'
import type { SheetRow } from './model.ts'

/** What the scheduler is told of it; a member that is not there was not declared. */
export type SupplierTerms = Pick<Supplier, 'region' | 'requestsPerMinute' | 'tokensPerMinute' | 'learnLimitBy'>
export type DeploymentTerms = Pick<Deployment, 'contextTokens' | 'features' | 'needsLot'>
export type ServiceTerms = Pick<Service, 'sla' | 'regions'>

export interface SupplierRow extends Omit<Supplier, 'baseUrl' | keyof SupplierTerms | 'isDraining'> {
  /** Null for the embedded engine. */
  readonly baseUrl: string | null
  readonly terms: SupplierTerms
}

export interface DeploymentRow {
  readonly service: string
  readonly supplier: string
  readonly model: string
  readonly priority: number
  readonly terms: DeploymentTerms
}

export interface ServiceRow {
  readonly id: string
  readonly displayName: string
  readonly contextTokens: number
  readonly maxOutputTokens: number
  readonly tokenizer: TokenizerSpec
  readonly tenants: readonly string[]
  readonly firstByteTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly hedge: boolean
  readonly terms: ServiceTerms
}

/** Whether the database chose this transaction to give way to another. */
export function isDeadlock(error: unknown): boolean {
  return sqlState(error) === '40P01'
}

/** Taken first by every writer, so that two of them follow one another. */
export async function lockRevision(tx: Transaction): Promise<void> {
  await tx.rows(sql`select version from catalogue.revision for update`)
}

export async function bumpRevision(tx: Transaction): Promise<void> {
  await tx.rows(sql`update catalogue.revision set version = version + 1`)
}

export async function readRevision(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ version: bigint }>(sql`select version from catalogue.revision`)
  return Number(row?.version ?? 0n)
}

/** Remembers where the embedded engine is. A new place is a change that gateways must hear of. */
export async function noteEngineUrl(db: Queryable, engineUrl: string | null): Promise<void> {
  await db.rows(sql`
    update catalogue.revision
       set engine_url = ${engineUrl}, version = version + 1
     where engine_url is distinct from ${engineUrl}
  `)
}

/** Remembers what gateways are told of how requests are paid for. Anything else than before is a change that they must hear of. */
export async function noteFunding(db: Queryable, hash: string): Promise<void> {
  await db.rows(sql`
    update catalogue.revision
       set funding_hash = ${hash}, version = version + 1
     where funding_hash <> ${hash}
  `)
}

export async function selectSuppliers(db: Queryable): Promise<SupplierRow[]> {
  return db.rows<SupplierRow>(sql`
    select id, display_name as "displayName", kind, base_url as "baseUrl", api_key_env as "apiKeyEnv",
           max_concurrency as "maxConcurrency", max_tokens_field as "maxTokensField", terms
      from catalogue.supplier
     order by id collate "C"
  `)
}

export async function upsertSupplier(tx: Transaction, row: SupplierRow): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.supplier (id, display_name, kind, base_url, api_key_env, max_concurrency,
                                    max_tokens_field, terms)
    values (${row.id}, ${row.displayName}, ${row.kind}, ${row.baseUrl}, ${row.apiKeyEnv}, ${row.maxConcurrency},
            ${row.maxTokensField}, ${JSON.stringify(row.terms)})
        on conflict (id) do update
       set display_name = excluded.display_name, kind = excluded.kind, base_url = excluded.base_url,
           api_key_env = excluded.api_key_env, max_concurrency = excluded.max_concurrency,
           max_tokens_field = excluded.max_tokens_field, terms = excluded.terms
  `)
}

export async function selectServices(db: Queryable): Promise<(ServiceRow & { readonly createdAt: Date })[]> {
  return db.rows<ServiceRow & { createdAt: Date }>(sql`
    select id, display_name as "displayName", context_tokens as "contextTokens", max_output_tokens as "maxOutputTokens",
           tokenizer, tenants, first_byte_timeout_ms as "firstByteTimeoutMs", idle_timeout_ms as "idleTimeoutMs",
           total_timeout_ms as "totalTimeoutMs", hedge, terms, created_at as "createdAt"
      from catalogue.service
     order by id collate "C"
  `)
}

export async function upsertService(tx: Transaction, row: ServiceRow, now: Date): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.service (id, display_name, context_tokens, max_output_tokens, tokenizer, tenants,
                                   first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms, hedge, terms, created_at)
    values (${row.id}, ${row.displayName}, ${row.contextTokens}, ${row.maxOutputTokens}, ${JSON.stringify(row.tokenizer)}, ${row.tenants},
            ${row.firstByteTimeoutMs}, ${row.idleTimeoutMs}, ${row.totalTimeoutMs}, ${row.hedge},
            ${JSON.stringify(row.terms)}, ${now})
        on conflict (id) do update
       set display_name = excluded.display_name, context_tokens = excluded.context_tokens,
           max_output_tokens = excluded.max_output_tokens, tokenizer = excluded.tokenizer, tenants = excluded.tenants,
           first_byte_timeout_ms = excluded.first_byte_timeout_ms, idle_timeout_ms = excluded.idle_timeout_ms,
           total_timeout_ms = excluded.total_timeout_ms, hedge = excluded.hedge, terms = excluded.terms
  `)
}

/** Best first within each service. */
export async function selectDeployments(db: Queryable): Promise<DeploymentRow[]> {
  const rows = await db.rows<DeploymentRow>(
    sql`select service, supplier, model, priority, terms from catalogue.deployment`,
  )
  return rows.sort(byPriority)
}

export async function replaceDeployments(
  tx: Transaction,
  service: string,
  rows: readonly DeploymentRow[],
): Promise<void> {
  await tx.rows(sql`delete from catalogue.deployment where service = ${service}`)
  for (const row of rows) {
    await tx.rows(sql`
      insert into catalogue.deployment (service, supplier, model, priority, terms)
      values (${service}, ${row.supplier}, ${row.model}, ${row.priority}, ${JSON.stringify(row.terms)})
    `)
  }
}

interface SheetColumns extends Omit<SheetRow, 'validFromMs' | 'validToMs' | 'prices'> {
  readonly validFrom: Date
  readonly validTo: Date | null
  readonly uncachedInput: string
  readonly cacheWrite: string
  readonly cacheRead: string
  readonly output: string
  readonly reasoning: string
  readonly peak: PeakHours | null
  readonly variants: PriceVariant[]
}

const sheetColumns = sql`
  id, service, side, supplier, model, valid_from as "validFrom", valid_to as "validTo", tax_percent as "taxPercent",
  uncached_input::text as "uncachedInput", cache_write::text as "cacheWrite", cache_read::text as "cacheRead",
  output::text, reasoning::text, peak, variants
`

/** Those that count, in order of beginning. */
export async function selectSheets(db: Queryable): Promise<SheetRow[]> {
  return (
    await db.rows<SheetColumns>(
      sql`select ${sheetColumns} from catalogue.price_sheet where not withdrawn order by valid_from, id collate "C"`,
    )
  ).map(sheetRow)
}

export async function selectWithdrawnSheetIds(db: Queryable): Promise<ReadonlySet<string>> {
  const rows = await db.rows<{ id: string }>(sql`select id from catalogue.price_sheet where withdrawn`)
  return new Set(rows.map(({ id }) => id))
}

export async function withdrawSheet(tx: Transaction, id: string): Promise<void> {
  await tx.rows(sql`update catalogue.price_sheet set withdrawn = true where id = ${id}`)
}

/** Also a withdrawn one: a record may name it. */
export async function selectSheet(db: Queryable, id: string): Promise<SheetRow | undefined> {
  const [row] = await db.rows<SheetColumns>(sql`select ${sheetColumns} from catalogue.price_sheet where id = ${id}`)
  return row && sheetRow(row)
}

function sheetRow(row: SheetColumns): SheetRow {
  return {
    id: row.id,
    service: row.service,
    side: row.side,
    supplier: row.supplier,
    model: row.model,
    taxPercent: row.taxPercent,
    validFromMs: row.validFrom.getTime(),
    validToMs: row.validTo?.getTime() ?? null,
    prices: {
      uncachedInput: BigInt(row.uncachedInput),
      cacheWrite: BigInt(row.cacheWrite),
      cacheRead: BigInt(row.cacheRead),
      output: BigInt(row.output),
      reasoning: BigInt(row.reasoning),
    },
    peak: row.peak,
    variants: row.variants,
  }
}

export async function upsertSheet(tx: Transaction, row: SheetRow): Promise<void> {
  const { prices } = row
  await tx.rows(sql`
    insert into catalogue.price_sheet (id, service, side, supplier, model, currency, valid_from, valid_to, tax_percent,
                                       uncached_input, cache_write, cache_read, output, reasoning, peak, variants)
    values (${row.id}, ${row.service}, ${row.side}, ${row.supplier}, ${row.model}, 'CNY', ${new Date(row.validFromMs)},
            ${row.validToMs === null ? null : new Date(row.validToMs)}, ${row.taxPercent}, ${prices.uncachedInput},
            ${prices.cacheWrite}, ${prices.cacheRead}, ${prices.output}, ${prices.reasoning},
            ${row.peak === null ? null : JSON.stringify(row.peak)}, ${JSON.stringify(row.variants)})
        on conflict (id) do update
       set valid_to = excluded.valid_to
  `)
}
