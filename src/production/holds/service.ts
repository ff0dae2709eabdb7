import type { GrantReply, Slice } from '#contract'
import { formatYuan, type Problem } from '#kernel'
import { openDesk, refuseAll, type Desk, type Waiter } from './desk.ts'
import { recover } from './entries.ts'
import {
  canClose,
  drain,
  dueForReturn,
  heldSlice,
  join,
  needsRenewal,
  resolveHold,
  takeFrom,
  wantedPico,
} from './model.ts'
import type { HeldSlice } from './model.ts'
import { chargingUnavailable, insufficientBalance, tooManyWaiting } from './problems.ts'
import { DEFAULT_LIMITS, RETRY_MS, systemTimer, type HoldsOptions } from './options.ts'
import { createReconcile } from './reconcile.ts'
import { createRegistration } from './registration.ts'
import { createShipper } from './shipper.ts'
import { createStateLog, type ShippableRecord } from './state-log.ts'
import type { Hold, Holds, HoldsLimits } from './types.ts'

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
  /** Every slice that the journal knows, in any phase. */
  const slices = new Map<string, HeldSlice>()
  const recovered = recover(gateway, journal.recovered)
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
      for (const desk of desks.values()) refuseAll(desk, () => chargingUnavailable({}))
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

  function acknowledge(record: ShippableRecord, isQuarantined: boolean): void {
    const held = record.slice === null ? undefined : slices.get(record.slice)
    if (held) held.unshipped--
    if (isQuarantined) {
      quarantinedRecords++
      if (held) held.records--
      stateLog.quarantined(record)
    }
    if (held) closeIfDue(held)
  }

  function deskOf(tenant: string): Desk {
    let desk = desks.get(tenant)
    if (!desk) {
      desk = openDesk(tenant, clock.nowMs())
      desks.set(tenant, desk)
    }
    return desk
  }

  function place(tenant: string, amountPico: bigint, done: (outcome: Hold | Problem) => void): void {
    if (amountPico < 0n) throw new RangeError(`a hold of ${amountPico}`)
    if (stopping || registration.fenced || stateLog.failed) return done(chargingUnavailable({}))
    if (amountPico === 0n)
      return done({ slice: null, epoch: registration.epoch, amountPico, capture: requireNothing, void: () => {} })
    const desk = deskOf(tenant)
    const held = takeFrom(desk.account, amountPico, clock.nowMs())
    if (held) {
      done(holdIn(desk, held, amountPico))
      if (!desk.granting && needsRenewal(desk.account) && clock.nowMs() >= desk.quietUntilMs) grant(desk, amountPico)
      return
    }
    if (desk.waiting.length >= limits.maxWaiting) return done(tooManyWaiting({}))
    desk.waiting.push({ amountPico, done, sinceMs: clock.nowMs(), refusals: 0 })
    serveWaiting(desk)
  }

  function requireNothing(sellPico: bigint): void {
    if (sellPico !== 0n) throw new RangeError(`${sellPico} captured from a hold of nothing`)
  }

  function holdIn(desk: Desk, held: HeldSlice, amountPico: bigint): Hold {
    let resolved = false
    outstandingHolds++
    const resolve = (spentPico: bigint): void => {
      if (resolved) return
      if (spentPico < 0n || spentPico > amountPico)
        throw new RangeError(`${spentPico} captured from a hold of ${amountPico}`)
      resolved = true
      outstandingHolds--
      resolveHold(desk.account, held, amountPico, spentPico)
      if (held.phase === 'draining') closeIfDue(held)
      else if (desk.waiting.length > 0) serveWaiting(desk)
    }
    return { slice: held.slice.id, epoch: held.slice.epoch, amountPico, capture: resolve, void: () => resolve(0n) }
  }

  /** Gives holds to those who wait, first come first served where there is room, and asks for a slice for the first who is left. */
  function serveWaiting(desk: Desk): void {
    const waiting = desk.waiting
    desk.waiting = []
    const left = waiting.filter((waiter) => {
      const held = takeFrom(desk.account, waiter.amountPico, clock.nowMs())
      if (held) waiter.done(holdIn(desk, held, waiter.amountPico))
      return !held
    })
    desk.waiting = [...left, ...desk.waiting]
    const next = desk.waiting.find((waiter) => waiter.refusals === 0) ?? desk.waiting[0]
    if (!next || desk.granting || (next.refusals > 0 && desk.retryScheduled)) return
    grant(desk, next.amountPico, next)
  }

  /** One grant per tenant is under way at a time. `waiter` is who needs it; nobody when it renews ahead of need. */
  function grant(desk: Desk, minPico: bigint, waiter?: Waiter): void {
    if (registration.epoch === 0 || stopping || registration.fenced) return
    const { account } = desk
    const wanted = wantedPico(account, minPico, limits, clock.nowMs())
    desk.granting = true
    const request = {
      gateway,
      epoch: registration.epoch,
      seq: ++grantSeq,
      tenant: account.tenant,
      minPico: `${minPico}`,
      wantPico: `${wanted}`,
    }
    charging.grant(request).then(
      (reply) => onGrantReply(desk, waiter, reply, request.epoch),
      (error: unknown) => {
        desk.granting = false
        desk.quietUntilMs = clock.nowMs() + RETRY_MS
        log.warn({ tenant: account.tenant, cause: error }, 'no slice could be fetched')
        refuseAll(desk, () => chargingUnavailable({}))
      },
    )
  }

  function onGrantReply(desk: Desk, waiter: Waiter | undefined, reply: GrantReply, grantEpoch: number): void {
    switch (reply.outcome) {
      case 'granted':
        useSlice(desk, reply.slice)
        return
      case 'insufficient_balance':
        desk.granting = false
        desk.quietUntilMs = clock.nowMs() + RETRY_MS
        if (waiter) onRefusal(desk, waiter, BigInt(reply.availablePico), BigInt(reply.escrowedPico))
        else if (desk.waiting.length > 0) serveWaiting(desk)
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
          refuseAll(desk, () => chargingUnavailable({}))
          return
        }
        const pushedOut = join(desk.account, held)
        if (pushedOut) closeIfDue(pushedOut)
        serveWaiting(desk)
        // Fetched ahead and not needed at once: near an empty wallet that is not repeated with every request.
        if (slice.tight && held.phase === 'open') desk.quietUntilMs = clock.nowMs() + RETRY_MS
        if (stopping || slice.tight) drainAndClose(desk, held)
      },
    )
  }

  function onRefusal(desk: Desk, waiter: Waiter, availablePico: bigint, escrowedPico: bigint): void {
    // Our own idle slices may be all that is missing.
    for (const held of [...desk.account.slices]) if (held.holds === 0) drainAndClose(desk, held)
    shipper.hurry()
    const waiting = desk.waiting
    // Who needs more than there is shares the answer, so that a crowd does not ask one by one.
    for (const each of waiting) if (each === waiter || each.amountPico > availablePico) each.refusals++
    desk.waiting = waiting.filter(
      (each) => each.amountPico <= availablePico + escrowedPico && each.refusals <= limits.refusedRetries,
    )
    for (const each of waiting) {
      if (desk.waiting.includes(each)) continue
      each.done(insufficientBalance({ needed: formatYuan(each.amountPico), available: formatYuan(availablePico) }))
    }
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

  function drainAndClose(desk: Desk, held: HeldSlice): void {
    drain(desk.account, held)
    closeIfDue(held)
  }

  /** Looks once the current callback is over: a record and the capture of its hold may come in either order. */
  function closeIfDue(held: HeldSlice): void {
    if (held.phase === 'draining') queueMicrotask(() => canClose(held, clock.nowMs()) && !stopped && close(held))
  }

  function close(held: HeldSlice): void {
    const { id } = held.slice
    const { records } = held
    held.phase = 'closing'
    const again = (fields: object, message: string): void => {
      held.phase = 'draining'
      held.retryAtMs = clock.nowMs() + RETRY_MS
      log.warn({ slice: id, records, ...fields }, message)
    }
    charging.close(gateway, journal.id, id, records).then(
      (reply) => {
        if (reply.outcome === 'missing') {
          again({ ingested: reply.ingested }, 'charging misses records of a slice that it had acknowledged')
          return
        }
        // Only after the journal's files were changed behind its back: what they say of the slice may not be all there was.
        if (reply.outcome === 'foreign')
          log.error({ slice: id, records }, 'this slice belongs to another journal: it stays set aside for an operator')
        slices.delete(id)
        stateLog.closed(id)
        const desk = desks.get(held.slice.tenant)
        if (desk && desk.waiting.length > 0 && !desk.granting) serveWaiting(desk)
      },
      (error: unknown) => again({ cause: error }, 'a slice could not be given back yet'),
    )
  }

  const reconcile = createReconcile({
    gateway,
    journal: journal.id,
    charging,
    clock,
    log,
    everyMs: limits.reconcileMs,
    // The reply to a grant under way may be on its way to us.
    mayBeOurs: (slice) => slices.has(slice.id) || desks.get(slice.tenant)?.granting === true,
  })

  /** What time alone brings about: idle and expired slices, waits that took too long, closes to try again. */
  function sweep(): void {
    cancelSweep?.()
    if (stopped) return
    cancelSweep = timer(SWEEP_MS, sweep)
    const nowMs = clock.nowMs()
    for (const desk of desks.values()) {
      for (const held of dueForReturn(desk.account, limits, nowMs)) drainAndClose(desk, held)
      const late = desk.waiting.filter((waiter) => nowMs - waiter.sinceMs >= MAX_WAIT_MS)
      if (late.length > 0) {
        desk.waiting = desk.waiting.filter((waiter) => !late.includes(waiter))
        for (const { done } of late) done(chargingUnavailable({}))
      }
      if (desk.waiting.length > 0 && !desk.granting) serveWaiting(desk)
    }
    if (registration.epoch === 0 || registration.fenced) return
    for (const held of slices.values()) if (held.phase === 'draining') closeIfDue(held)
    if (!stopping) reconcile()
  }

  function record(id: string, slice: string | null, text: string, durable: (error: Error | null) => void): void {
    const held = slice === null ? undefined : slices.get(slice)
    if (held) {
      held.records++
      held.unshipped++
    }
    stateLog.record(id, slice, text, (error, shippable) => {
      if (!error) shipper.add(shippable)
      durable(error)
    })
  }

  function restore(): void {
    const nowMs = clock.nowMs()
    for (const { slice, records } of recovered.slices) {
      slices.set(slice.id, { ...heldSlice(slice, nowMs), phase: 'draining', leftPico: 0n, records })
    }
    for (const each of recovered.unshipped) {
      const held = each.slice === null ? undefined : slices.get(each.slice)
      if (held) held.unshipped++
      shipper.add(each)
    }
    for (const { record: each } of recovered.interrupted) record(each.id, each.slice, JSON.stringify(each), () => {})
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
    open: stateLog.open,
    checkpoint: stateLog.checkpoint,
    record: (each, durable) => record(each.id, each.slice, JSON.stringify(each), durable),
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
        refuseAll(desk, () => chargingUnavailable({}))
        for (const held of [...desk.account.slices]) drainAndClose(desk, held)
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
