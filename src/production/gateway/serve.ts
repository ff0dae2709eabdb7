import { Problem } from '#kernel'
import { walletProblem } from '#holds'
import type { Hold, Refusal } from '#holds'
import type { Exchange } from '#platform/http'
import { decodeChat, invalidRequest } from '#protocols/openai-chat'
import type { ChatRequest } from '#protocols/openai-chat'
import type { Caller, Directory, OfferedService } from './directory.ts'
import { tierHead } from './answer-head.ts'
import { affordable, finalUnitOf } from './final-unit.ts'
import { clientLeft, dropFlight, voidHolds } from './finish.ts'
import type { Flight } from './flight.ts'
import { NO_PARTS, fund } from './fund.ts'
import type { Gateway } from './gateway.ts'
import { renderPreview } from './price-preview.ts'
import { moneyBound, sheetAt, tierOf } from './pricing.ts'
import { enter } from './queueing.ts'
import { modelNotFound, outputCapTooLarge, priceMissing, unsupportedModality } from './problems.ts'
import { jsonHead, refuse } from './replies.ts'
import { NOBODY } from './start-attempt.ts'
import { NOWHERE } from './turn.ts'

/** Bytes per token for the rate limit's reservation, which is an estimate and trued up; the hold uses the sound bound of one. */
const RESERVED_BYTES_PER_TOKEN = 3

/** The life of one chat completion, up to the point where a supplier is asked. Read it top to bottom; every step may refuse. */
export function serve(exchange: Exchange, caller: Caller, body: Buffer, gateway: Gateway): void {
  const id = gateway.newRequestId()
  let flight: Flight
  let mostPico: bigint
  try {
    const nowMs = gateway.nowMs()
    const request = decodeChat(body) //                                                1 what is asked
    const service = resolve(request, caller, gateway.directory()) //                   2 what was sold to them
    const bounds = boundsOf(request, service) //                                       3 how much at most
    const sellSheet = sheetAt(service.sellSheets, nowMs)
    if (!sellSheet) throw priceMissing({})
    const tier = tierOf(sellSheet, request.serviceTier)
    const costOf = (outputBound: number) => moneyBound(sellSheet, { tier, atMs: nowMs }, { ...bounds, outputBound })
    mostPico = costOf(bounds.outputBound)
    const finalUnit = finalUnitOf(request, bounds.outputCap, outputWish(exchange), costOf)
    if (asksForPrice(exchange)) {
      answerPrice(exchange, { id, caller, request, service, sheet: sellSheet, tier, atMs: nowMs, bounds }, gateway)
      return
    }
    const ticket = gateway.admission.admit(caller.quotas, bounds.reservedTokens) //    4 is there room, by quota
    const { acceptedAt } = exchange
    flight = {
      id,
      exchange,
      caller,
      service,
      request,
      sellSheet,
      tier,
      ticket,
      acceptedAtMs: nowMs,
      inputBound: bounds.inputBound,
      outputCap: bounds.outputCap,
      outputBound: bounds.outputBound,
      finalUnit,
      isShortened: false,
      hold: undefined,
      parts: NO_PARTS,
      payer: undefined,
      turn: undefined,
      waitsFor: NOWHERE,
      order: [],
      candidates: [],
      tried: NOBODY,
      othersLeft: 0,
      othersBusy: 0,
      hasRetriedSame: false,
      firstTokenBy: Number.POSITIVE_INFINITY,
      paused: undefined,
      pauses: 0,
      attempts: [],
      running: undefined,
      rival: undefined,
      hedgeAt: Number.POSITIVE_INFINITY,
      lastLine: undefined,
      retryAfterMs: undefined,
      refusal: undefined,
      observer: undefined,
      firstEvent: undefined,
      envelope: undefined,
      begunBy: undefined,
      continued: 0,
      owed: undefined,
      answer: [],
      hasBegun: false,
      ttftMs: null,
      clientHasLeft: false,
      isEnded: false,
      place: -1,
      quietDeadline: Number.POSITIVE_INFINITY,
      totalDeadline: acceptedAt + service.totalTimeoutMs,
    }
  } catch (error) {
    if (error instanceof Problem) gateway.refused(error.type.code)
    else gateway.log.error({ requestId: id, err: error }, 'request failed on our side')
    refuse(exchange, id, error, gateway.settings.allowedOrigins)
    return
  }
  gateway.flights.add(flight)
  exchange.onClose(() => clientLeft(flight, gateway))
  pay(flight, gateway, mostPico) //                                                    5 is there money, at most
}

/** Sets aside what pays for the request; then it is served. */
function pay(flight: Flight, gateway: Gateway, mostPico: bigint): void {
  const { caller, service, acceptedAtMs, inputBound, outputBound, finalUnit } = flight
  if (!caller.funding) {
    const paid = (held: Hold | Refusal): void => {
      if ('refused' in held) {
        turnAway(flight, gateway, walletProblem(held))
        return
      }
      if (finalUnit && held.amount < mostPico)
        shorten(flight, affordable(finalUnit, held.amount, finalUnit.costOf) ?? finalUnit.least)
      begin(flight, gateway, held)
    }
    gateway.holds.place(caller.wallet, mostPico, paid, finalUnit?.costOf(finalUnit.least))
    return
  }
  const asked = { service: service.id, atMs: acceptedAtMs, inputBound, outputBound }
  fund(gateway.holds, caller.funding, { ...asked, moneyBound: mostPico, tenant: caller.tenant, finalUnit }, (funds) => {
    if (funds instanceof Problem) {
      turnAway(flight, gateway, funds)
      return
    }
    flight.parts = funds.parts
    flight.payer = funds.payer
    if (funds.outputBound < outputBound) shorten(flight, funds.outputBound)
    begin(flight, gateway, funds.wallet)
  })
}

/** The answer ends where the money does: the supplier is told so in the request's output cap, and stops with `length`. */
function shorten(flight: Flight, outputBound: number): void {
  flight.outputBound = outputBound
  flight.outputCap = outputBound / flight.request.choices
  flight.isShortened = true
}

function turnAway(flight: Flight, gateway: Gateway, problem: Problem): void {
  gateway.refused(problem.type.code)
  dropFlight(flight, gateway, problem)
}

function begin(flight: Flight, gateway: Gateway, hold: Hold): void {
  flight.hold = hold
  // Ended while it waited: nobody is left to give its holds back.
  if (flight.isEnded) voidHolds(flight)
  else if (flight.clientHasLeft) dropFlight(flight, gateway)
  else enter(flight, gateway) //                                                       6 whose turn is it, who serves it; then relay, meter, journal, capture
}

const OUTPUT_WISH = 'x-factory-output-cap'

/** What the client says about answers that it could not pay for as a whole. */
function outputWish(exchange: Exchange): 'affordable' | 'exact' | undefined {
  const wish = exchange.headers.get(OUTPUT_WISH)
  if (wish === undefined || wish === 'affordable' || wish === 'exact') return wish
  throw invalidRequest({ param: OUTPUT_WISH, reason: 'must be "affordable" or "exact"' })
}

const DRY_RUN = 'x-factory-dry-run'

function asksForPrice(exchange: Exchange): boolean {
  const wanted = exchange.headers.get(DRY_RUN)
  if (wanted === undefined) return false
  if (wanted !== 'price') throw invalidRequest({ param: DRY_RUN, reason: 'must be "price"' })
  return true
}

/** Says what the request would cost. Nothing is asked, held or counted for it. */
function answerPrice(
  exchange: Exchange,
  asked: Parameters<typeof renderPreview>[0] & { readonly id: string; readonly request: ChatRequest },
  gateway: Gateway,
): void {
  const head = jsonHead(exchange, asked.id, undefined, gateway.settings.allowedOrigins)
  exchange.respond(200, head + tierHead(asked), renderPreview(asked))
}

function resolve(request: ChatRequest, caller: Caller, directory: Directory): OfferedService {
  const service = directory.services.get(request.model)
  if (!service || !service.mayUse(caller.tenant)) throw modelNotFound({ param: 'model' })
  if (request.hasMedia) throw unsupportedModality({ param: 'messages' })
  return service
}

/** The most tokens a request can use: a prompt never exceeds the context either; output is capped in the supplier's copy of the request. */
function boundsOf(request: ChatRequest, service: OfferedService) {
  const asked = request.maxOutputTokens
  if (asked !== undefined && asked > service.maxOutputTokens)
    throw outputCapTooLarge({ param: 'max_tokens', maxOutputTokens: service.maxOutputTokens })
  const outputCap = asked ?? service.maxOutputTokens
  const outputBound = outputCap * request.choices
  const bytes = request.body.length
  return {
    outputCap,
    outputBound,
    inputBound: Math.min(service.contextTokens, request.promptTokensAtMost),
    reservedTokens: Math.min(service.contextTokens, Math.ceil(bytes / RESERVED_BYTES_PER_TOKEN)) + outputBound,
  }
}
