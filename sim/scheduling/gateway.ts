import type { AttemptOutcome } from '#contract'
import { MAX_ATTEMPTS } from '#scheduler'
import type { Agenda } from './agenda.ts'
import { linkBetween, priceAt } from './market.ts'
import type { SimulatedMarket } from './market.ts'
import type { Attempt, Policy, Question } from './policy.ts'
import { normalFrom, uniformOf } from './random.ts'
import type { Answer, Call, Supplier } from './supplier.ts'
import { BROKEN, FAILED, SERVED, SHED } from './tally.ts'
import type { Tally } from './tally.ts'
import { CLASSES, blocksOf } from './workload.ts'
import type { Workload } from './workload.ts'

/** A request in a gateway's hands. */
interface Errand {
  readonly request: number
  readonly acceptedAtMs: number
  readonly promisedTtftMs: number
  readonly giveUpMs: number
  tried: number[]
  attempt: Attempt | undefined
  call: Call | undefined
  firstTokenMs: number | undefined
  /** The attempt under way has. */
  hasBegun: boolean
  /** Output tokens that the client has from attempts that were cut. */
  writtenTokens: number
}

export interface GatewayOptions {
  readonly index: number
  readonly region: string
  readonly seed: number
  readonly agenda: Agenda
  readonly workload: Workload
  readonly market: SimulatedMarket
  readonly suppliers: readonly Supplier[]
  readonly tally: Tally
  readonly policy: Policy
}

export interface Gateway {
  readonly policy: Policy
  accept(request: number): void
  hear(call: Call, answer: Answer): void
}

/** Without a promise nobody waits for ever. */
const PATIENCE_MS = 60_000
/** An attempt that has said nothing for this many promised times to first token is given up. */
const GIVE_UP_AFTER = 4
/** A request that nobody can take waits for this part of its promised time, asking again in between. */
const WAIT_PART = 0.5
const ASK_AGAIN_MS = 50
const RETRY_AFTER_MS = 1_000
/** On the wire: an input token is about four bytes, an output token an event of about two hundred. */
const INPUT_BYTES = 4
const OUTPUT_BYTES = 200

/** Asks its policy, carries out what it says, tells it what came over the wire, and writes down what became of each request. */
export function createGateway(options: GatewayOptions): Gateway {
  const { index, region, seed, agenda, workload, market, suppliers, tally, policy } = options
  const errands = new Map<Call, Errand>()
  const links = market.suppliers.map((supplier) => linkBetween(market, region, supplier.region))

  const questionOf = ({ request, acceptedAtMs, tried, writtenTokens }: Errand): Question => ({
    tenant: workload.tenant[request]!,
    slaClass: workload.slaClass[request]!,
    // What has been written already is read by whoever goes on with it.
    inputTokens: workload.inputTokens[request]! + writtenTokens,
    blocks: blocksOf(workload, request),
    blockTokens: workload.blockTokens,
    acceptedAtMs,
    nowMs: agenda.nowMs,
    tried,
  })
  const giveUp = (errand: Errand, fate = errand.firstTokenMs === undefined ? FAILED : BROKEN): void => {
    tally.fate[errand.request] = fate
    policy.lost(questionOf(errand))
  }
  const tryOn = (errand: Errand): void => {
    const question = questionOf(errand)
    const supplier = policy.pick(question)
    if (supplier >= 0) send(errand, question, supplier)
    else if (errand.tried.length > 0) giveUp(errand)
    else if (agenda.nowMs + ASK_AGAIN_MS - errand.acceptedAtMs <= WAIT_PART * errand.promisedTtftMs)
      agenda.at(agenda.nowMs + ASK_AGAIN_MS, tryOn, errand)
    else giveUp(errand, SHED)
  }
  const send = (errand: Errand, question: Question, supplier: number): void => {
    const { request } = errand
    const turn = errand.tried.length
    if (turn === 0) tally.missProbability[request] = policy.missProbability
    tally.attempts[request]!++
    const draw = (purpose: number) => uniformOf(seed, request, supplier, purpose + 4 * turn)
    const call: Call = {
      request,
      gateway: index,
      rttMs: links[supplier]!.rttMs,
      inputTokens: question.inputTokens,
      outputTokens: workload.outputTokens[request]! - errand.writtenTokens,
      blocks: question.blocks,
      blockTokens: workload.blockTokens,
      luck: normalFrom(draw(0), draw(1)),
      fate: draw(2),
      cachedTokens: 0,
      writtenTokens: 0,
    }
    const attempt: Attempt = { question, supplier, beganMs: agenda.nowMs, note: undefined }
    errand.attempt = attempt
    errand.call = call
    errand.hasBegun = false
    errands.set(call, errand)
    policy.began(attempt)
    agenda.at(agenda.nowMs + call.rttMs / 2, arrive, { supplier, call })
    agenda.at(agenda.nowMs + errand.giveUpMs, loseTheirPatience, call)
  }
  const arrive = ({ supplier, call }: { readonly supplier: number; readonly call: Call }): void =>
    suppliers[supplier]!.arrive(call)
  const loseTheirPatience = (call: Call): void => {
    const errand = errands.get(call)
    if (!errand || errand.hasBegun) return
    suppliers[errand.attempt!.supplier]!.abandon(call)
    failed(errand, call, 'first_byte_timeout')
  }
  const failed = (errand: Errand, call: Call, outcome: AttemptOutcome): void => {
    errands.delete(call)
    const attempt = errand.attempt!
    const { nowMs } = agenda
    policy.ended(
      attempt,
      outcome === 'status_429' ? { outcome, nowMs, retryAfterMs: RETRY_AFTER_MS } : { outcome, nowMs },
    )
    errand.tried = [...errand.tried, attempt.supplier]
    if (errand.tried.length < MAX_ATTEMPTS) tryOn(errand)
    else giveUp(errand)
  }
  const pay = (supplier: number, call: Call): void => {
    const price = priceAt(market.suppliers[supplier]!, agenda.nowMs)
    const pico =
      (call.inputTokens - call.cachedTokens) * price.input +
      call.cachedTokens * price.cachedInput +
      call.writtenTokens * price.output
    const tokens = call.inputTokens + call.writtenTokens
    tally.usagePico[supplier]! += pico
    tally.delivered[supplier]! += tokens
    tally.networkPico[supplier]! +=
      links[supplier]!.bytePico * (INPUT_BYTES * call.inputTokens + OUTPUT_BYTES * call.writtenTokens)
    const minutes = tally.minutes[supplier]!
    const minute = Math.floor(agenda.nowMs / 60_000)
    const used = minutes.get(minute) ?? { tokens: 0, pico: 0 }
    minutes.set(minute, { tokens: used.tokens + tokens, pico: used.pico + pico })
  }
  /** Broken off in the middle: somebody else goes on from there, as long as there is anybody and anything left. */
  const cut = (errand: Errand, call: Call): void => {
    pay(errand.attempt!.supplier, call)
    errand.writtenTokens += call.writtenTokens
    if (errand.writtenTokens < workload.outputTokens[errand.request]!) failed(errand, call, 'cut')
    else finish(errand, call, 'cut')
  }
  const finish = (errand: Errand, call: Call, outcome: 'served' | 'cut'): void => {
    errands.delete(call)
    const { request } = errand
    const attempt = errand.attempt!
    const { nowMs } = agenda
    const { inputTokens, cachedTokens, writtenTokens } = call
    policy.ended(attempt, { outcome, nowMs })
    tally.supplier[request] = attempt.supplier
    tally.cachedTokens[request] = cachedTokens
    tally.fate[request] = SERVED
    tally.tpotMs[request] = (nowMs - errand.firstTokenMs!) / Math.max(1, workload.outputTokens[request]! - 1)
    if (outcome === 'served') policy.settled(attempt, { inputTokens, cachedTokens, outputTokens: writtenTokens })
  }

  return {
    policy,
    accept(request) {
      const promise = market.promised[CLASSES[workload.slaClass[request]!]!]
      const promisedTtftMs = promise?.ttftMs ?? PATIENCE_MS
      tryOn({
        request,
        acceptedAtMs: agenda.nowMs,
        promisedTtftMs,
        giveUpMs: promise?.giveUpMs ?? GIVE_UP_AFTER * promisedTtftMs,
        tried: [],
        attempt: undefined,
        call: undefined,
        firstTokenMs: undefined,
        hasBegun: false,
        writtenTokens: 0,
      })
    },
    hear(call, answer) {
      const errand = errands.get(call)
      if (!errand) return
      switch (answer) {
        case 'refused':
          failed(errand, call, 'status_429')
          return
        case 'failed':
          failed(errand, call, 'status_5xx')
          return
        case 'first_token':
          errand.hasBegun = true
          if (errand.firstTokenMs === undefined) {
            errand.firstTokenMs = agenda.nowMs
            tally.ttftMs[errand.request] = agenda.nowMs - errand.acceptedAtMs
          }
          policy.firstToken(errand.attempt!, agenda.nowMs - errand.attempt!.beganMs, agenda.nowMs)
          return
        case 'whole':
          pay(errand.attempt!.supplier, call)
          finish(errand, call, 'served')
          return
        case 'cut':
          cut(errand, call)
      }
    },
  }
}
