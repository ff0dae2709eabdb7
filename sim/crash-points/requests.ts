import type { Draw, UsageRecord } from '#contract'
import { TOKEN_CLASSES, NO_TOKENS, netOfTax, pico, totalTokens } from '#kernel'
import type { Hold, Part, RequestOpening } from '#holds'
import { sampleRecord } from '../../test/sample-usage.ts'

/** One unit of this table is one token of any class, so a token weighs a million millionths. */
export const TABLE = 'std'
export const TABLE_VERSION = 'std@1'
const WEIGHT = 1_000_000n

interface Request {
  readonly n: number
  readonly parts: readonly Part[]
  readonly holds: readonly Hold[]
}

/** A request whose tokens are paid by the token bucket if it holds one, else by the wallet at the sample's prices. */
export function recordOf(request: Request): { record: UsageRecord; spent: bigint[] } {
  const sample = sampleRecord(request.n)
  const bought = request.parts.some(({ bucket }) => bucket.startsWith('tokens:'))
  const sell = bought ? 0n : BigInt(sample.sellPico)
  const tax = sell - netOfTax(pico(sell), 6)
  const spent = request.parts.map(({ bucket }) =>
    bucket.startsWith('tokens:') ? BigInt(totalTokens(sample.tokens)) * WEIGHT : sell,
  )
  const record: UsageRecord = {
    ...sample,
    ...placed(request, spent),
    sellPico: `${sell}`,
    taxPico: `${tax}`,
  }
  return { record, spent }
}

export function openingOf(request: Request): RequestOpening {
  const { id, tenant, key, service, supplier, model, stream, acceptedAtMs, sellSheet, buySheet } = sampleRecord(
    request.n,
  )
  return {
    ...{ id, tenant, key, service, supplier, model, stream, acceptedAtMs, sellSheet, buySheet },
    ...placed(
      request,
      request.parts.map(() => 0n),
    ),
    candidates: [],
    attempts: [],
  }
}

/** Where the request's amounts lie, with what it has spent of each. */
function placed({ n, parts, holds }: Request, spent: readonly bigint[]) {
  const wallet = parts.findIndex(({ bucket }) => bucket.startsWith('wallet:'))
  const draws = parts.flatMap(({ bucket }, i): Draw[] => {
    const [hold, amount] = [holds[i], spent[i] ?? 0n]
    if (i === wallet || !hold?.slice) return []
    const isTokens = bucket.startsWith('tokens:')
    return [
      {
        kind: isTokens ? 'tokens' : 'cap',
        bucket,
        slice: hold.slice,
        held: `${hold.amount}`,
        amount: `${amount}`,
        version: isTokens ? TABLE_VERSION : null,
        covered: isTokens ? (amount > 0n ? sampleRecord(n).tokens : NO_TOKENS) : null,
      },
    ]
  })
  const paying = holds[wallet]
  return {
    slice: paying?.slice ?? null,
    epoch: holds[0]?.epoch ?? 0,
    holdPico: `${paying?.amount ?? 0n}`,
    ...(draws.length > 0 ? { draws } : {}),
  }
}

export const WEIGHTS = Object.fromEntries(TOKEN_CLASSES.map((name) => [name, `${WEIGHT}`])) as Record<
  (typeof TOKEN_CLASSES)[number],
  string
>
