import type { GrantReply, Slice, UsageRecord } from '#contract'
import { createClosing } from './closing.ts'
import { isForgettable, openDesk, refusal, refuseAll, refuseWaiting, type Desk, type Waiter } from './desk.ts'
import { recover, slicesOf } from './entries.ts'
import { dueForReturn, heldSlice, join, mostLeft, needsRenewal, resolveHold, takeFrom, wantedAmount } from './model.ts'
import type { HeldSlice } from './model.ts'
import { DEFAULT_LIMITS, RETRY_MS, systemTimer, type HoldsOptions } from './options.ts'
import { createPlaceAll } from './place-all.ts'
import { createReconcile } from './reconcile.ts'
import { createRegistration } from './registration.ts'
import { createShipper } from './shipper.ts'
import { createSliceBook } from './slice-book.ts'
import { createStateLog, type ShippableRecord } from './state-log.ts'
import type { Hold, Holds, HoldsLimits, Part, Refusal } from './types.ts'

const SWEEP_MS = 250
const MAX_WAIT_MS = 5_000

/**
 * Starts the gateway's side of the slice protocol on a freshly opened journal: what the journal tells of an earlier life is
 * shipped and given back in the background, and requests can be placed at once.
 */
export function createHolds(options: HoldsOptions): Holds {
  const { gateway, journal, charging, clock, log } = options
  const limits: HoldsLimits = { ...DEFAULT_LIMITS, ...options.limits }
  const timer = options.timer ?? systemTimer
  const desks = new Map<string, Desk>()
  const recovered = recover(gateway, journal.recovered)
  const book = createSliceBook(recovered, clock.nowMs())
  const slices = book.all
  const stateLog = createStateLog(journal, recovered, (id) => slices.get(id)?.records ?? 0, limits.compactAfterEntries)
  let grantSeq = 0
  let outstandingHolds = 0
  let quarantinedRecords = 0
  let stopping = false
  let stopped = false
  let cancelSweep: (() => void) | undefined

  const registration = createRegistration({
    gateway,
    journal: journal.id,
    charging,
    clock,
    log,
    timer,
    onRegistered() {
      for (const desk of desks.values()) if (desk.waiting.length > 0) serveWaiting(desk)
      sweep()
    },
    onFenced() {
      for (const desk of desks.values()) refuseAll(desk, 'charging_unavailable')
    },
  })

  const shipper = createShipper({
    gateway,
    charging,
    log,
    timer,
    lingerMs: limits.shipLingerMs,
    busyLingerMs: limits.shipBusyLingerMs,
    onRefused: (record) => stateLog.keep(record),
    onAcknowledged(records, quarantined) {
      for (const record of records) acknowledge(record, quarantined.has(record.id))
      stateLog.shipped(records)
    },
  })

  const { closeIfDue, drainAndClose } = createClosing({
    gateway,
    journal: journal.id,
    charging,
    clock,
    log,
    isStopped: () => stopped,
    onClosed(held) {
      slices.delete(held.slice.id)
      stateLog.closed(held.slice.id)
      const desk = desks.get(held.slice.bucket)
      if (desk && desk.waiting.length > 0 && !desk.granting) serveWaiting(desk)
    },
  })

  function acknowledge(record: ShippableRecord, isQuarantined: boolean): void {
    if (isQuarantined) {
      quarantinedRecords++
      stateLog.quarantined(record)
    }
    for (const held of book.acknowledged(record.slices, isQuarantined)) closeIfDue(held)
  }

  function deskOf(bucket: string): Desk {
    let desk = desks.get(bucket)
    if (!desk) {
      desk = openDesk(bucket, clock.nowMs())
      desks.set(bucket, desk)
    }
    return desk
  }

  const isClosed = (): boolean => stopping || registration.fenced || stateLog.failed !== null

  function place(bucket: string, amount: bigint, done: (outcome: Hold | Refusal) => void, atLeast = amount): void {
    const hold = take(bucket, amount)
    if (hold) done(hold)
    else wait({ bucket, amount, atLeast, optional: false }, done)
  }

  /** A hold in a slice that has room for it now. */
  function take(bucket: string, amount: bigint): Hold | undefined {
    if (amount < 0n) throw new RangeError(`a hold of ${amount}`)
    if (isClosed()) return undefined
    if (amount === 0n)
      return { slice: null, epoch: registration.epoch, amount, capture: requireNothing, void: () => {} }
    const desk = deskOf(bucket)
    const nowMs = clock.nowMs()
    desk.lastUsedMs = nowMs
    const held = takeFrom(desk.account, amount, nowMs)
    if (!held) return undefined
    if (!desk.granting && needsRenewal(desk.account) && nowMs >= desk.quietUntilMs) grant(desk, amount)
    return holdIn(desk, held, amount)
  }

  /** What there is for who takes less: the whole as long as there is room, else all that the fullest slice has left. */
  function takeUpTo(desk: Desk, amount: bigint, atLeast: bigint): Hold | undefined {
    const nowMs = clock.nowMs()
    const most = atLeast < amount ? mostLeft(desk.account, nowMs) : amount
    const taken = most < amount && most >= atLeast && most > 0n ? most : amount
    const held = takeFrom(desk.account, taken, nowMs)
    return held && holdIn(desk, held, taken)
  }

  function wait(part: Part, done: (outcome: Hold | Refusal) => void): void {
    if (isClosed()) return done(refusal('charging_unavailable', part))
    const desk = deskOf(part.bucket)
    const nowMs = clock.nowMs()
    if (part.optional && desk.wasRefused && !desk.granting && nowMs < desk.quietUntilMs)
      return done(takeUpTo(desk, part.amount, part.atLeast) ?? refusal('insufficient', part))
    if (desk.waiting.length >= limits.maxWaiting) return done(refusal('too_many_waiting', part))
    desk.waiting.push({ part, needs: part.amount, done, sinceMs: nowMs, refusals: 0 })
    serveWaiting(desk)
  }

  const placeAll = createPlaceAll({
    take: ({ bucket, amount }) => take(bucket, amount),
    wait,
    ahead({ bucket, amount }) {
      const desk = deskOf(bucket)
      if (!desk.granting && clock.nowMs() >= desk.quietUntilMs && mostLeft(desk.account, clock.nowMs()) < amount)
        grant(desk, amount)
    },
  })

  function requireNothing(spent: bigint): void {
    if (spent !== 0n) throw new RangeError(`${spent} captured from a hold of nothing`)
  }

  function holdIn(desk: Desk, held: HeldSlice, amount: bigint): Hold {
    let resolved = false
    outstandingHolds++
    const resolve = (spent: bigint): void => {
      if (resolved) return
      if (spent < 0n || spent > amount) throw new RangeError(`${spent} captured from a hold of ${amount}`)
      resolved = true
      outstandingHolds--
      resolveHold(desk.account, held, amount, spent)
      if (held.phase === 'draining') closeIfDue(held)
      else if (desk.waiting.length > 0) serveWaiting(desk)
    }
    return { slice: held.slice.id, epoch: held.slice.epoch, amount, capture: resolve, void: () => resolve(0n) }
  }

  /** Gives holds to those who wait, first come first served where there is room, and asks for a slice for the first who is left. */
  function serveWaiting(desk: Desk): void {
    const waiting = desk.waiting
    desk.waiting = []
    const left = waiting.filter(({ part, needs, done }) => {
      const hold = takeUpTo(desk, part.amount, needs)
      if (hold) done(hold)
      return !hold
    })
    desk.waiting = [...left, ...desk.waiting]
    const next = desk.waiting.find((waiter) => waiter.refusals === 0) ?? desk.waiting[0]
    if (!next || desk.granting || (next.refusals > 0 && desk.retryScheduled)) return
    grant(desk, next.needs, next)
  }

  /** One grant per bucket is under way at a time. `waiter` is who needs it; nobody when it renews ahead of need. */
  function grant(desk: Desk, min: bigint, waiter?: Waiter): void {
    if (registration.epoch === 0 || stopping || registration.fenced) return
    const { account } = desk
    const wanted = wantedAmount(account, min, limits, clock.nowMs())
    desk.granting = true
    const request = {
      gateway,
      epoch: registration.epoch,
      seq: ++grantSeq,
      bucket: account.bucket,
      min: `${min}`,
      want: `${wanted}`,
    }
    charging.grant(request).then(
      (reply) => onGrantReply(desk, waiter, reply, request.epoch),
      (error: unknown) => {
        desk.granting = false
        desk.wasRefused = false
        desk.quietUntilMs = clock.nowMs() + RETRY_MS
        log.warn({ bucket: account.bucket, cause: error }, 'no slice could be fetched')
        refuseAll(desk, 'charging_unavailable')
      },
    )
  }

  function onGrantReply(desk: Desk, waiter: Waiter | undefined, reply: GrantReply, grantEpoch: number): void {
    switch (reply.outcome) {
      case 'granted':
        desk.wasRefused = false
        useSlice(desk, reply.slice)
        return
      case 'insufficient_balance':
        onInsufficient(desk, waiter, BigInt(reply.available), BigInt(reply.escrowed))
        return
      case 'no_such_bucket':
        onInsufficient(desk, waiter, 0n, 0n)
        return
      case 'fenced':
        desk.granting = false
        registration.refused(grantEpoch)
    }
  }

  /** The slice is in the journal before anything is held in it: a slice that a crash makes us forget was never used. */
  function useSlice(desk: Desk, slice: Slice): void {
    const held = heldSlice(slice, clock.nowMs())
    slices.set(slice.id, held)
    stateLog.slice(
      slice,
      () => held.records,
      (error) => {
        desk.granting = false
        if (error) {
          refuseAll(desk, 'charging_unavailable')
          return
        }
        const pushedOut = join(desk.account, held)
        if (pushedOut) closeIfDue(pushedOut)
        serveWaiting(desk)
        // Fetched ahead and not needed at once: near an empty wallet that is not repeated with every request.
        if (slice.tight && held.phase === 'open') desk.quietUntilMs = clock.nowMs() + RETRY_MS
        if (stopping || slice.tight) drainAndClose(desk.account, held)
      },
    )
  }

  function onInsufficient(desk: Desk, waiter: Waiter | undefined, available: bigint, escrowed: bigint): void {
    desk.wasRefused = true
    desk.granting = false
    desk.quietUntilMs = clock.nowMs() + RETRY_MS
    if (waiter) onRefusal(desk, waiter, available, escrowed)
    else if (desk.waiting.length > 0) serveWaiting(desk)
  }

  function onRefusal(desk: Desk, waiter: Waiter, available: bigint, escrowed: bigint): void {
    // Our own idle slices may be all that is missing.
    for (const held of [...desk.account.slices]) if (held.holds === 0) drainAndClose(desk.account, held)
    shipper.hurry()
    const refused = refuseWaiting(desk, waiter, { available, escrowed, refusedRetries: limits.refusedRetries })
    for (const { part, done } of refused)
      done(
        (part.atLeast < part.amount ? takeUpTo(desk, part.amount, part.atLeast) : undefined) ??
          refusal('insufficient', part, available),
      )
    if (desk.waiting.length === 0) return
    if (!desk.retryScheduled) {
      desk.retryScheduled = true
      timer(limits.refusedRetryMs, () => {
        desk.retryScheduled = false
        serveWaiting(desk)
      })
    }
    serveWaiting(desk)
  }

  const reconcile = createReconcile({
    gateway,
    journal: journal.id,
    charging,
    clock,
    log,
    everyMs: limits.reconcileMs,
    // The reply to a grant under way may be on its way to us.
    mayBeOurs: (slice) => slices.has(slice.id) || desks.get(slice.bucket)?.granting === true,
  })

  /** What time alone brings about: idle and expired slices, waits that took too long, closes to try again. */
  function sweep(): void {
    cancelSweep?.()
    if (stopped) return
    cancelSweep = timer(SWEEP_MS, sweep)
    const nowMs = clock.nowMs()
    for (const desk of desks.values()) {
      for (const held of dueForReturn(desk.account, limits, nowMs)) drainAndClose(desk.account, held)
      const late = desk.waiting.filter((waiter) => nowMs - waiter.sinceMs >= MAX_WAIT_MS)
      if (late.length > 0) {
        desk.waiting = desk.waiting.filter((waiter) => !late.includes(waiter))
        for (const { part, done } of late) done(refusal('charging_unavailable', part))
      }
      if (desk.waiting.length > 0 && !desk.granting) serveWaiting(desk)
      if (isForgettable(desk, nowMs)) desks.delete(desk.account.bucket)
    }
    if (registration.epoch === 0 || registration.fenced) return
    for (const held of slices.values()) if (held.phase === 'draining') closeIfDue(held)
    if (!stopping) reconcile()
  }

  function record(usage: UsageRecord, durable: (error: Error | null) => void): void {
    const named = slicesOf(usage)
    book.recorded(named)
    stateLog.record(usage, named, (error, shippable) => {
      if (!error) shipper.add(shippable)
      durable(error)
    })
  }

  function restore(): void {
    for (const each of recovered.unshipped) shipper.add(each)
    for (const { record: each } of recovered.interrupted) record(each, () => {})
    if (recovered.unshipped.length + recovered.interrupted.length + recovered.slices.length === 0) return
    log.info(
      {
        slices: recovered.slices.length,
        records: recovered.unshipped.length,
        interrupted: recovered.interrupted.length,
      },
      'recovered from the journal',
    )
  }

  restore()
  registration.start()
  sweep()

  return {
    place,
    placeAll,
    open: stateLog.open,
    checkpoint: stateLog.checkpoint,
    record,
    stats() {
      let openSlices = 0
      let waitingRequests = 0
      for (const desk of desks.values()) {
        openSlices += desk.account.slices.length
        waitingRequests += desk.waiting.length
      }
      return {
        registered: registration.epoch > 0,
        fenced: registration.fenced,
        unshippedRecords: shipper.size,
        quarantinedRecords,
        openSlices,
        drainingSlices: slices.size - openSlices,
        outstandingHolds,
        waitingRequests,
        openRequests: stateLog.openRequests,
      }
    },
    async close(graceMs) {
      stopping = true
      for (const desk of desks.values()) {
        refuseAll(desk, 'charging_unavailable')
        for (const held of [...desk.account.slices]) drainAndClose(desk.account, held)
      }
      shipper.hurry()
      const endAtMs = clock.nowMs() + graceMs
      // Our timers alone do not keep a process alive, and it must live until the last record is acknowledged.
      const keepAlive = setInterval(() => {}, 1_000)
      while ((slices.size > 0 || shipper.size > 0) && clock.nowMs() < endAtMs && !stateLog.failed) {
        await new Promise<void>((resolve) => timer(20, resolve))
      }
      clearInterval(keepAlive)
      stopped = true
      registration.stop()
      shipper.stop()
      cancelSweep?.()
    },
  }
}
