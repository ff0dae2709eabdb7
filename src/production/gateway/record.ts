import type { Ending, UsageRecord } from '#contract'
import type { Problem } from '#kernel'
import type { RequestOpening } from '#holds'
import { settle } from '#metering'
import type { MeansHold } from '#metering'
import { meansOf, openingDraws, settledDraws } from './draws.ts'
import { elapsedMs } from './flight.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { settleOwed } from './owed.ts'
import { pricesOf } from './pricing.ts'
import { recountOf, textOf } from './recount.ts'

const NO_MEANS: readonly MeansHold[] = []

/** What a whole answer said of itself; a stream's observer knows the same. */
export interface Seen {
  readonly usage: unknown
  readonly finishReason: string | null
}

/** What the journal keeps of a stream whose answer begins, so that a crash leaves a record of what it cost us. */
export function openingOf(flight: Flight): RequestOpening {
  const served = flight.lastLine
  const opening: RequestOpening = {
    id: flight.id,
    slice: flight.hold?.slice ?? null,
    epoch: flight.hold?.epoch ?? 0,
    tenant: flight.caller.tenant,
    key: flight.caller.key,
    service: flight.service.id,
    supplier: served?.line.supplierId ?? '',
    model: served?.line.model ?? '',
    stream: flight.request.stream,
    acceptedAtMs: flight.acceptedAtMs,
    holdPico: (flight.hold?.amount ?? 0n).toString(),
    sellSheet: flight.sellSheet.id,
    buySheet: served?.buySheet.id ?? '',
    candidates: [...flight.candidates],
    attempts: flight.attempts,
  }
  if (flight.payer === undefined && flight.tier === 'standard' && flight.parts.length === 0) return opening
  return {
    ...opening,
    ...(flight.payer === undefined ? {} : { payer: flight.payer }),
    ...(flight.tier === 'standard' ? {} : { tier: flight.tier }),
    ...(flight.parts.length === 0 ? {} : { draws: [...openingDraws(flight.parts)] }),
  }
}

/** The terminal record: whose count it is, what it costs, and who pays. */
export function recordOf(
  flight: Flight,
  gateway: Gateway,
  ending: Ending,
  problem: Problem | undefined,
  seen: Seen | undefined,
): UsageRecord {
  const moment = { tier: flight.tier, atMs: flight.acceptedAtMs }
  const settlement = settle({
    ending,
    // A report that came before the end is an interim one.
    usage:
      ending === 'completed' || (flight.observer?.seen.finished ?? 1) >= flight.request.choices
        ? seen?.usage
        : undefined,
    hasText: () => textOf(flight) !== '',
    sawOutput: seen !== undefined,
    recount: () => recountOf(flight),
    isSampled: gateway.isSampled(),
    inputBound: flight.inputBound,
    outputBound: flight.outputBound,
    sell: (inputTokens) => pricesOf(flight.sellSheet, moment, inputTokens),
    taxPercent: flight.sellSheet.taxPercent,
    buy: (inputTokens) => pricesOf(flight.lastLine?.buySheet ?? flight.sellSheet, moment, inputTokens),
    means: flight.parts.length === 0 ? NO_MEANS : meansOf(flight.parts),
  })
  const ownCost = settleOwed(flight, settlement)
  const status = problem
    ? flight.hasBegun
      ? 200
      : ((isAboutTheRequest(flight) ? flight.refusal?.status : undefined) ?? problem.type.status)
    : 200
  const { hold, lastLine: served } = flight
  // Member by member, as a spread of the opening would take longer than all the rest.
  const record: UsageRecord = {
    id: flight.id,
    slice: hold?.slice ?? null,
    epoch: hold?.epoch ?? 0,
    tenant: flight.caller.tenant,
    key: flight.caller.key,
    service: flight.service.id,
    supplier: served?.line.supplierId ?? '',
    model: served?.line.model ?? '',
    stream: flight.request.stream,
    acceptedAtMs: flight.acceptedAtMs,
    holdPico: (hold?.amount ?? 0n).toString(),
    sellSheet: flight.sellSheet.id,
    buySheet: served?.buySheet.id ?? '',
    candidates: [...flight.candidates],
    attempts: flight.attempts,
    gateway: gateway.gatewayId,
    ending,
    finishReason: seen?.finishReason ?? null,
    status,
    completedAtMs: gateway.nowMs(),
    ttftMs: flight.ttftMs,
    durationMs: elapsedMs(flight),
    reported: settlement.reported,
    counted: settlement.counted,
    tokens: settlement.tokens,
    basis: settlement.basis,
    note: settlement.note,
    sellPico: settlement.sell.toString(),
    taxPico: settlement.tax.toString(),
    buyPico: (ownCost ?? settlement.buy).toString(),
  }
  if (flight.payer !== undefined) record.payer = flight.payer
  if (flight.tier !== 'standard') record.tier = flight.tier
  if (flight.parts.length > 0) record.draws = [...settledDraws(flight.parts, settlement.shares, settlement.sell)]
  return record
}

/** Whether it was the request itself that a supplier refused. */
export function isAboutTheRequest(flight: Flight): boolean {
  return flight.attempts.some(({ outcome }) => outcome === 'status_4xx')
}
