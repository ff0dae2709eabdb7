import type { Draw, UsageRecord } from '#contract'
import type { Hold, Part, RequestOpening } from '#holds'
import { NO_TOKENS } from '#kernel'

/** The two buckets that all tenants of a simulated world share besides their wallets. */
export const CAP = 'cap:all@2026-11-25'
export const TOKENS = 'tokens:t0/std'

export function openingOf(id: string, tenant: string, parts: readonly Part[], holds: readonly Hold[]): RequestOpening {
  const wallet = holds.at(-1)
  const draws = holds.slice(0, -1).map((hold, i) => drawOf(parts[i]?.bucket ?? '', hold, 0n))
  return {
    id,
    slice: wallet?.slice ?? null,
    epoch: wallet?.epoch ?? 0,
    tenant,
    key: 'k',
    service: 's',
    supplier: 'embedded',
    model: 'm',
    stream: true,
    acceptedAtMs: 1,
    holdPico: `${wallet?.amount ?? 0n}`,
    sellSheet: 'sell',
    buySheet: 'buy',
    ...(draws.length > 0 ? { draws } : {}),
    candidates: [],
    attempts: [],
  }
}

function drawOf(bucket: string, hold: Hold, amount: bigint): Draw {
  const kind = bucket === CAP ? 'cap' : 'tokens'
  return {
    kind,
    bucket,
    slice: hold.slice ?? '',
    held: `${hold.amount}`,
    amount: `${amount}`,
    version: kind === 'cap' ? null : 'v1',
    covered: kind === 'cap' ? null : NO_TOKENS,
  }
}

/** `spent` in the order of the parts, the wallet's last. */
export function recordOf(opening: RequestOpening, spent: readonly bigint[]): UsageRecord {
  return {
    ...opening,
    ...(opening.draws ? { draws: opening.draws.map((draw, i) => ({ ...draw, amount: `${spent[i] ?? 0n}` })) } : {}),
    gateway: 'gw-0',
    ending: 'completed',
    finishReason: 'stop',
    status: 200,
    completedAtMs: 2,
    ttftMs: 1,
    durationMs: 1,
    reported: null,
    counted: null,
    tokens: NO_TOKENS,
    basis: 'none',
    note: null,
    sellPico: `${spent.at(-1) ?? 0n}`,
    taxPico: '0',
    buyPico: '0',
  }
}
