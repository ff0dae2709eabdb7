import type { Agenda } from './agenda.ts'
import { createDecodePool } from './decode-pool.ts'
import type { Stream } from './decode-pool.ts'
import { createPrefixCache } from './prefix-cache.ts'

/** A supplier as it really is. Nobody in the simulation may read this but the supplier itself and who pays its bills. */
export interface SupplierNature {
  readonly name: string
  readonly region: string
  /** Time that passes beside the queue and the prefill: its own gateway, safety checks, scheduling. Lognormal with this spread. */
  readonly overheadMs: number
  readonly overheadSigma: number
  readonly prefillTokensPerSecond: number
  /** Milliseconds per output token with n streams: `alphaMs + deltaMs · n`. */
  readonly alphaMs: number
  readonly deltaMs: number
  /** How many it works on at once; others wait inside. */
  readonly slots: number
  /** With so many inside it answers 429. */
  readonly refusesAt: number
  readonly cacheBlocks: number
  /** Part of all calls that fail before, and in the middle of, an answer. */
  readonly failureRate: number
  readonly cutRate: number
}

/** One attempt as it comes in over the wire, with what chance has in store for it. */
export interface Call {
  readonly request: number
  readonly gateway: number
  readonly rttMs: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly blocks: Int32Array
  readonly blockTokens: number
  /** Standard normal. */
  readonly luck: number
  /** Uniform: below the failure rate it fails; above 1 − cut rate it is cut. */
  readonly fate: number
  cachedTokens: number
  /** Written when it ended. */
  writtenTokens: number
}

export type Answer = 'refused' | 'failed' | 'first_token' | 'whole' | 'cut'

export interface Supplier {
  readonly nature: SupplierNature
  /** Those it has not answered in full. */
  readonly inside: number
  arrive(call: Call): void
  /** The client has gone away. */
  abandon(call: Call): void
  /** Times as slow as usual, from now on. */
  brown(factor: number): void
  /** While black it fails whatever comes, and drops what it has. */
  black(isBlack: boolean): void
  /** While stormy it refuses this part of what comes. */
  storm(refusedPart: number): void
}

/** The state of a call inside. */
interface Guest {
  readonly call: Call
  stream: Stream<Guest> | undefined
  isWorkedOn: boolean
  isCut: boolean
  isGone: boolean
}

const REFUSAL_MS = 2

export function createSupplier(
  nature: SupplierNature,
  agenda: Agenda,
  answer: (call: Call, answer: Answer) => void,
): Supplier {
  const guests = new Map<Call, Guest>()
  const queue: Guest[] = []
  const prefills: Guest[] = []
  const cache = createPrefixCache(nature.cacheBlocks)
  const pool = createDecodePool<Guest>(agenda, nature, (guest) => end(guest, guest.isCut ? 'cut' : 'whole'))
  let working = 0
  let isPrefilling = false
  let factor = 1
  let isBlack = false
  let refusedPart = 0

  const later = (afterMs: number, call: Call, what: 'refused' | 'failed'): void =>
    agenda.at(agenda.nowMs + afterMs, () => answer(call, what), undefined)
  const end = (guest: Guest, what: 'whole' | 'cut' | 'failed' | 'abandoned'): void => {
    if (guest.isGone) return
    guest.isGone = true
    guests.delete(guest.call)
    if (guest.stream && !guest.stream.isGone) {
      guest.call.writtenTokens = Math.max(1, guest.call.writtenTokens - pool.left(guest.stream))
      pool.leave(guest.stream)
    }
    if (guest.isWorkedOn) working--
    else queue.splice(queue.indexOf(guest), 1)
    if (what !== 'abandoned') answer(guest.call, what)
    startNext()
  }
  const startNext = (): void => {
    while (working < nature.slots && queue.length > 0) {
      const guest = queue.shift()!
      guest.isWorkedOn = true
      working++
      prefills.push(guest)
    }
    if (!isPrefilling) prefillNext()
  }
  const prefillNext = (): void => {
    let guest = prefills.shift()
    while (guest?.isGone) guest = prefills.shift()
    isPrefilling = guest !== undefined
    if (!guest) return
    const { call } = guest
    const hit = cache.leading(call.blocks) * call.blockTokens
    // The last token is always computed.
    call.cachedTokens = Math.min(hit, call.inputTokens - 1)
    const ms = (factor * 1_000 * (call.inputTokens - call.cachedTokens)) / nature.prefillTokensPerSecond
    agenda.at(agenda.nowMs + ms, prefilled, guest)
  }
  const prefilled = (guest: Guest): void => {
    if (!guest.isGone) {
      cache.keep(guest.call.blocks)
      const overheadMs = factor * nature.overheadMs * Math.exp(nature.overheadSigma * guest.call.luck)
      agenda.at(agenda.nowMs + overheadMs, decode, guest)
    }
    prefillNext()
  }
  const decode = (guest: Guest): void => {
    if (guest.isGone) return
    const { call } = guest
    if (call.fate < nature.failureRate) {
      end(guest, 'failed')
      return
    }
    guest.isCut = call.fate > 1 - nature.cutRate
    call.writtenTokens = guest.isCut ? Math.ceil(call.outputTokens / 2) : call.outputTokens
    answer(call, 'first_token')
    guest.stream = pool.join(guest, call.writtenTokens - 1)
  }

  return {
    nature,
    get inside() {
      return guests.size
    },
    arrive(call) {
      if (isBlack) later(REFUSAL_MS, call, 'failed')
      else if (guests.size >= nature.refusesAt || call.fate < refusedPart) later(REFUSAL_MS, call, 'refused')
      else {
        const guest: Guest = { call, stream: undefined, isWorkedOn: false, isCut: false, isGone: false }
        guests.set(call, guest)
        queue.push(guest)
        startNext()
      }
    },
    abandon(call) {
      const guest = guests.get(call)
      if (guest) end(guest, 'abandoned')
    },
    brown(next) {
      factor = next
      pool.slow(next)
    },
    black(next) {
      isBlack = next
      if (!next) return
      cache.clear()
      for (const guest of guests.values()) end(guest, guest.stream ? 'cut' : 'failed')
    },
    storm(part) {
      refusedPart = part
    },
  }
}
