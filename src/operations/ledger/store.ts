import { pico } from '#kernel'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { AccountType, Balance, Posting } from './model.ts'

/** Takes the one lock that orders all postings. It is held until the transaction ends, so post last. */
export async function lockChainHead(tx: Transaction): Promise<{ seq: number; hash: string }> {
  const [head] = await tx.rows<{ seq: bigint; hash: string }>(sql`
    select seq, encode(hash, 'hex') as hash from ledger.chain_head for update
  `)
  if (!head) throw new Error('ledger.chain_head has no row')
  return { seq: Number(head.seq), hash: head.hash }
}

export async function chainHead(db: Queryable): Promise<{ seq: number; hash: string } | undefined> {
  const [head] = await db.rows<{ seq: bigint; hash: string }>(
    sql`select seq, encode(hash, 'hex') as hash from ledger.chain_head`,
  )
  return head && { seq: Number(head.seq), hash: head.hash }
}

export async function inputHashOf(
  tx: Transaction,
  key: string,
): Promise<{ seq: number; inputHash: string; hash: string } | undefined> {
  const [row] = await tx.rows<{ seq: bigint; input_hash: string; hash: string }>(sql`
    select seq, encode(input_hash, 'hex') as input_hash, encode(hash, 'hex') as hash from ledger.posting where key = ${key}
  `)
  return row && { seq: Number(row.seq), inputHash: row.input_hash, hash: row.hash }
}

/** Everything that a posting changes, in one statement. */
export async function append(
  tx: Transaction,
  posting: Posting,
  inputHash: string,
  types: readonly AccountType[],
): Promise<void> {
  const accounts = posting.entries.map((entry) => entry.account)
  const amounts = posting.entries.map((entry) => entry.amountPico)
  await tx.rows(sql`
    with line as (
      select * from unnest(${accounts}::text[], ${types}::text[], ${amounts}::numeric[]) as line (account, type, amount)
    ), opened as (
      insert into ledger.account (code, type) select account, type from line order by account on conflict do nothing
    ), posted as (
      insert into ledger.posting (seq, id, key, input_hash, kind, memo, booked_at_ms, entry_count, evidence, facts, prev_hash, hash)
      values (${posting.seq}::bigint, ${posting.id}, ${posting.key}, decode(${inputHash}::text, 'hex'), ${posting.kind}, ${posting.memo},
        ${posting.bookedAtMs}::bigint, ${accounts.length}::integer, decode(${posting.evidence}::text, 'hex'), ${posting.facts}::integer,
        decode(${posting.prevHash}::text, 'hex'), decode(${posting.hash}::text, 'hex'))
    ), entered as (
      insert into ledger.entry (posting_seq, account, amount) select ${posting.seq}::bigint, account, amount from line
    ), projected as (
      insert into ledger.balance as old (account, amount, entries) select account, amount, 1 from line order by account
      on conflict (account) do update set amount = old.amount + excluded.amount, entries = old.entries + 1
    )
    update ledger.chain_head set seq = ${posting.seq}::bigint, hash = decode(${posting.hash}::text, 'hex')
  `)
}

interface PostingRow {
  seq: bigint
  id: string
  key: string
  kind: string
  memo: string
  booked_at_ms: bigint
  evidence: string | null
  facts: number
  prev_hash: string
  hash: string
  accounts: string[]
  amounts: string[]
}

const postingColumns = sql`
  seq, id, key, kind, memo, booked_at_ms, encode(evidence, 'hex') as evidence, facts,
  encode(prev_hash, 'hex') as prev_hash, encode(hash, 'hex') as hash,
  array(select account::text from ledger.entry where posting_seq = seq order by account) as accounts,
  array(select amount::text from ledger.entry where posting_seq = seq order by account) as amounts
`

function toPosting(row: PostingRow): Posting {
  return {
    seq: Number(row.seq),
    id: row.id,
    key: row.key,
    kind: row.kind,
    memo: row.memo,
    bookedAtMs: Number(row.booked_at_ms),
    evidence: row.evidence,
    facts: row.facts,
    prevHash: row.prev_hash,
    hash: row.hash,
    entries: row.accounts.map((account, index) => ({ account, amountPico: BigInt(row.amounts[index] ?? 0) })),
  }
}

export async function newestPostings(
  db: Queryable,
  page: { limit: number; beforeId: string | null },
): Promise<Posting[]> {
  const rows = await db.rows<PostingRow>(sql`
    select ${postingColumns} from ledger.posting
     where seq < coalesce((select p.seq from ledger.posting p where p.id = ${page.beforeId}::text), 9223372036854775807)
     order by seq desc limit ${page.limit}
  `)
  return rows.map(toPosting)
}

export async function newestPostingsOf(
  db: Queryable,
  page: { accounts: readonly string[]; limit: number; beforeId: string | null },
): Promise<Posting[]> {
  const rows = await db.rows<PostingRow>(sql`
    select ${postingColumns} from ledger.posting
     where seq in (
       select e.posting_seq
         from unnest(${page.accounts}::text[]) as wanted (account)
        cross join lateral (
          select entry.posting_seq from ledger.entry
           where entry.account = wanted.account
             and entry.posting_seq < coalesce((select p.seq from ledger.posting p where p.id = ${page.beforeId}::text), 9223372036854775807)
           order by entry.posting_seq desc limit ${page.limit}) e)
     order by seq desc limit ${page.limit}
  `)
  return rows.map(toPosting)
}

export async function postingsAfter(db: Queryable, page: { seq: number; limit: number }): Promise<Posting[]> {
  const rows = await db.rows<PostingRow>(sql`
    select ${postingColumns} from ledger.posting where seq > ${page.seq}::bigint order by seq limit ${page.limit}
  `)
  return rows.map(toPosting)
}

export async function postingsById(db: Queryable, ids: readonly string[]): Promise<Posting[]> {
  const rows = await db.rows<PostingRow>(
    sql`select ${postingColumns} from ledger.posting where id = any(${ids}::text[])`,
  )
  return rows.map(toPosting)
}

export async function balanceRows(db: Queryable, prefix: string): Promise<Balance[]> {
  const rows = await db.rows<{ account: string; amount: string; entries: bigint }>(sql`
    select account, amount, entries from ledger.balance where starts_with(account, ${prefix}) order by account
  `)
  return rows.map((row) => ({
    account: row.account,
    amountPico: pico(integerFromNumeric(row.amount)),
    entries: Number(row.entries),
  }))
}

export async function countPostings(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from ledger.posting`)
  return Number(row?.count)
}

/** How many facts all postings of a kind were made from, as they say. */
export async function countFacts(db: Queryable, kind: string): Promise<number> {
  const [row] = await db.rows<{ facts: bigint }>(
    sql`select coalesce(sum(facts), 0)::bigint as facts from ledger.posting where kind = ${kind}`,
  )
  return Number(row?.facts)
}

export async function unbalancedPostings(
  db: Queryable,
): Promise<{ id: string; total: string; found: bigint; expected: number }[]> {
  return db.rows(sql`
    select coalesce(p.id, 'no posting ' || e.posting_seq) as id, coalesce(e.total, '0') as total, coalesce(e.found, 0) as found,
           coalesce(p.entry_count, 0) as expected
      from ledger.posting p
      full join (
        select posting_seq, string_agg(total || ' ' || unit, ', ') filter (where total <> 0) as total, sum(found)::bigint as found
          from (select posting_seq, ledger.unit_of(account) as unit, sum(amount) as total, count(*) as found from ledger.entry group by 1, 2) u
         group by posting_seq) e on e.posting_seq = p.seq
     where p.seq is null or e.total is not null or coalesce(e.found, 0) <> p.entry_count
     order by 1 limit 100
  `)
}

export async function wrongBalances(
  db: Queryable,
): Promise<{ account: string; projected: string | null; summed: string | null }[]> {
  return db.rows(sql`
    select account, b.amount as projected, e.amount as summed
      from ledger.balance b
      full join (select account, sum(amount) as amount, count(*) as entries from ledger.entry group by account) e using (account)
     where b.amount is distinct from e.amount or b.entries is distinct from e.entries
     order by account limit 100
  `)
}

export async function countBalances(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from ledger.balance`)
  return Number(row?.count)
}
