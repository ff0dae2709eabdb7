import type { Queryable, Transaction } from '#platform/postgres'
import { chainHash, inputHash, postingId } from './chain.ts'
import { accountType, balanced } from './model.ts'
import type { Balance, Posting, PostingInput } from './model.ts'
import { postingKeyReused } from './problems.ts'
import {
  append,
  balanceRows,
  inputHashOf,
  lockChainHead,
  newestPostings,
  newestPostingsOf,
  postingsAfter,
  postingsById,
} from './store.ts'

/** Where a posting stands in the chain. `repeated`: it was there already, and nothing has changed. */
export interface Posted {
  readonly id: string
  readonly seq: number
  readonly hash: string
  readonly repeated: boolean
}

/**
 * Posts in the caller's transaction: entries, balances and chain move together or not at all. From here to the end of the
 * transaction nobody else can post, so make it the last thing that the transaction does.
 *
 * Throws `RangeError` if the entries do not sum to zero or name an account that is not on the chart, and the problem
 * `posting_key_reused` if the key belongs to another posting.
 */
export async function post(tx: Transaction, request: PostingInput): Promise<Posted> {
  const input = { ...request, entries: balanced(request.entries) }
  const id = postingId(input.key)
  const wanted = inputHash(input)
  const head = await lockChainHead(tx)
  const known = await inputHashOf(tx, input.key)
  if (known && known.inputHash !== wanted) throw postingKeyReused({ key: input.key })
  if (known) return { id, seq: known.seq, hash: known.hash, repeated: true }
  const linked = { ...input, id, seq: head.seq + 1, prevHash: head.hash }
  const posting: Posting = { ...linked, hash: chainHash(linked) }
  await append(
    tx,
    posting,
    wanted,
    posting.entries.map((entry) => accountType(entry.account)),
  )
  return { id, seq: posting.seq, hash: posting.hash, repeated: false }
}

/** Newest first; all postings, or those that touch one of `accounts`. `beforeId` is the last posting of the page before. */
export async function postings(
  db: Queryable,
  page: { accounts?: readonly string[]; limit: number; beforeId?: string },
): Promise<Posting[]> {
  const beforeId = page.beforeId ?? null
  if (page.accounts === undefined) return newestPostings(db, { limit: page.limit, beforeId })
  return newestPostingsOf(db, { accounts: page.accounts, limit: page.limit, beforeId })
}

/** The postings with these ids, in no particular order; unknown ids are left out. */
export async function findPostings(db: Queryable, ids: readonly string[]): Promise<Posting[]> {
  return ids.length === 0 ? [] : postingsById(db, ids)
}

/** The postings after one, in the order of the chain, a page at a time, so that a large ledger passes through a small memory. */
export async function* chain(db: Queryable, pageSize = 200, afterSeq = 0): AsyncGenerator<readonly Posting[]> {
  for (let seq = afterSeq; ;) {
    const page = await postingsAfter(db, { seq, limit: pageSize })
    const last = page.at(-1)
    if (!last) return
    yield page
    seq = last.seq
  }
}

/** Balances of the accounts whose code starts with `prefix` (`2000:` is every wallet), by code. Pico; a debit balance is positive. */
export async function balances(db: Queryable, prefix = ''): Promise<Balance[]> {
  return balanceRows(db, prefix)
}
