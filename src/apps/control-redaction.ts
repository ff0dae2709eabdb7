import type { ExplainReply, PostingView, RequestRow, UsageRow } from '#contract'

/**
 * What a tenant's user may see of what is known. Suppliers, what they cost us, and anything of other tenants stay with the
 * operator; each function lists what is shown, so a new field is hidden until somebody decides about it.
 */

/** Stands where the contract wants a name and the name is not the reader's business. */
const HIDDEN = 'hidden'

/** Wallet, gifts, credit, invoices, and what is to be paid back. */
const OWN_ACCOUNTS = /^(?:1100|1110|1190|2000|2001|2400):/

/** Our costs and the supplier's side of a posting are no business of the customer. */
const OPERATOR_ACCOUNTS = /^(?:2110|5000|5040)\b/

export function requestForTenant(row: RequestRow): RequestRow {
  const { id, completedAtMs, tenant, key, service, ending, tokens, ttftMs, durationMs, sellPico, tier, draws } = row
  const shown = { id, completedAtMs, tenant, key, service, ending, tokens, ttftMs, durationMs, sellPico, tier, draws }
  return { ...shown, supplier: HIDDEN }
}

export function usageForTenant({ group, requests, failed, tokens, sellPico }: UsageRow): UsageRow {
  return { group, requests, failed, tokens, sellPico, buyPico: '0' }
}

/** One posting may serve many tenants: only entries of the own accounts are shown, and how many records there are is not told. */
export function postingForTenant(posting: PostingView, tenant: string): PostingView {
  const { id, kind, bookedAtMs } = posting
  const entries = posting.entries.filter(({ account }) => OWN_ACCOUNTS.test(account) && account.endsWith(`:${tenant}`))
  return { id, kind, bookedAtMs, memo: kind === 'usage' ? '' : posting.memo, entries, records: 0 }
}

export function explanationForTenant({ record, posting, shares, corrections }: ExplainReply): ExplainReply {
  return {
    record: {
      ...record,
      gateway: HIDDEN,
      epoch: 0,
      slice: null,
      ...(record.draws ? { draws: record.draws.map((draw) => ({ ...draw, slice: HIDDEN })) } : {}),
      supplier: HIDDEN,
      model: record.service,
      note: null,
      buyPico: '0',
      buySheet: '',
      candidates: [],
      attempts: [],
    },
    posting,
    shares: shares.filter(({ account }) => !OPERATOR_ACCOUNTS.test(account)),
    corrections: corrections.map((correction) => ({ ...correction, by: null })),
  }
}
