import type { ServiceTier } from '#contract'
import type { TokenCounts } from '#kernel'
import { CLASSES, CLASS_POLICIES, RANKS } from './class-policy.ts'
import type { ClassPolicies } from './class-policy.ts'
import { createClassQueue, retryAfterMs, viewQueue } from './class-queue.ts'
import type { ClassQueue, QueueView } from './class-queue.ts'
import { newTurn } from './turn.ts'
import type { FlowAsk, Turn } from './turn.ts'

/** What a token counts in fair queueing: output holds a supplier's place longest, cached input hardly (VTC's weights; scheduling.md §2.4). */
const INPUT_COST = 1
const CACHED_INPUT_COST = 0.1
const OUTPUT_COST = 2
const MAX_WAITING_BYTES = 268_435_456
const TIDY_EVERY_MS = 30_000
/** Sets of suppliers that may turn out to be full before a round gives up. */
const MAX_FULL_SETS = 8

/** Why a request may not wait: the queue has no room, or its turn would come too late to be of use. */
export interface Refused {
  readonly reason: 'queue_full' | 'too_late'
  readonly retryAfterMs: number
}

/**
 * Who goes next while suppliers are short: by class, then fair between tenants in weighted tokens, then by deadline. Pure state; the
 * caller says what time it is, when room was given back (`pump`), and whether there is room for a request (`tryStart`).
 */
export interface FlowControl<W> {
  /** Requests that wait. */
  readonly size: number
  /** A request that has not been tried. */
  turn(ask: FlowAsk, work: W): Turn<W>
  /** Somebody of its service and of no lower class waits: it may not go first. */
  isBehind(service: string, tier: ServiceTier): boolean
  /** It starts without having waited. */
  start(turn: Turn<W>, nowMs: number): void
  /**
   * Lets it wait for a set of suppliers, or says why not. It may have started before: then it has found nobody, or lost its place.
   * `closedForMs`: its suppliers take nobody before. `dropped` had to make room for it and is over.
   */
  wait(
    turn: Turn<W>,
    set: string,
    nowMs: number,
    closedForMs?: number,
  ): { readonly refused?: Refused; readonly dropped?: Turn<W> }
  /** Lets them go, best first, while `tryStart` finds room. */
  pump(nowMs: number, tryStart: (work: W) => boolean): void
  /** Those whose patience has ended; they are over. */
  expire(nowMs: number): readonly Turn<W>[]
  /** Output so far, charged as it is generated. */
  progress(turn: Turn<W>, outputTokens: number): void
  /** It gives up waiting. */
  leave(turn: Turn<W>, nowMs: number): void
  /** It ran and is over; what it really used is charged. */
  end(turn: Turn<W>, tokens: TokenCounts): void
  /** What a newcomer is told that is turned away now. */
  retryAfterMs(service: string, tier: ServiceTier, nowMs: number): number
  /** Whether requests run that have to give way to one of this class. */
  hasYielding(tier: ServiceTier): boolean
  view(nowMs: number): readonly QueueView[]
}

export interface FlowOptions {
  readonly policies?: ClassPolicies
  readonly maxWaitingBytes?: number
}

export function createFlowControl<W>(options: FlowOptions = {}): FlowControl<W> {
  const policies = options.policies ?? CLASS_POLICIES
  const maxBytes = options.maxWaitingBytes ?? MAX_WAITING_BYTES
  const services = new Map<string, readonly ClassQueue<W>[]>()
  let size = 0
  let bytes = 0
  let tidiedMs = 0
  let isPumping = false

  const queueOf = ({ service, tier }: FlowAsk, nowMs: number): ClassQueue<W> => {
    let queues = services.get(service)
    if (!queues) {
      queues = CLASSES.map((one) => createClassQueue<W>(service, one, policies[one], nowMs))
      services.set(service, queues)
    }
    return queues[RANKS[tier]] as ClassQueue<W>
  }
  const known = (service: string, tier: ServiceTier) => services.get(service)?.[RANKS[tier]]
  const takeOut = (queue: ClassQueue<W>, turn: Turn<W>, nowMs: number): void => {
    queue.rate.elapse(nowMs, queue.fair.size > 0)
    queue.fair.remove(turn)
    size--
    bytes -= turn.ask.bytes
  }
  const charge = (queue: ClassQueue<W>, turn: Turn<W>, cost: number): void => {
    queue.rate.spent(cost - turn.charged)
    queue.fair.charge(turn, cost)
  }
  const refuse = (queue: ClassQueue<W>, turn: Turn<W>, reason: Refused['reason'], leastMs: number, nowMs: number) => {
    queue.refused++
    turn.state = 'over'
    return { refused: { reason, retryAfterMs: Math.max(leastMs, retryAfterMs(queue, nowMs)) } }
  }

  /** Lets one queue's requests go until its suppliers are full. */
  function pumpQueue(queue: ClassQueue<W>, nowMs: number, tryStart: (work: W) => boolean): void {
    const { fair, rate } = queue
    const full = new Set<string>()
    while (full.size < MAX_FULL_SETS) {
      const turn = fair.next(full)
      if (!turn) return
      rate.elapse(nowMs, true)
      size--
      bytes -= turn.ask.bytes
      fair.start(turn, turn.ask.inputTokens * INPUT_COST, nowMs)
      if (tryStart(turn.work)) {
        rate.served()
        rate.spent(turn.charged)
        queue.started++
        continue
      }
      fair.undo(turn, true)
      size++
      bytes += turn.ask.bytes
      full.add(turn.set)
    }
  }

  return {
    get size() {
      return size
    },
    turn: newTurn,
    isBehind(service, tier) {
      if (size === 0) return false
      const queues = services.get(service)
      if (!queues) return false
      return queues.some((queue, rank) => rank <= RANKS[tier] && queue.fair.size > 0)
    },
    start(turn, nowMs) {
      const queue = queueOf(turn.ask, nowMs)
      queue.fair.start(turn, turn.ask.inputTokens * INPUT_COST, nowMs)
      queue.started++
    },
    wait(turn, set, nowMs, closedForMs = 0) {
      const queue = queueOf(turn.ask, nowMs)
      const { fair, rate, policy } = queue
      if (turn.state === 'running') {
        fair.undo(turn, false)
        queue.started--
      }
      rate.elapse(nowMs, fair.size > 0)
      // The first may always wait: with nobody in the queue, room that comes free would go unused.
      const waitMs = fair.size === 0 ? 0 : (rate.waitMs(fair.ahead(turn.ask)) ?? 0)
      if (Math.max(waitMs, closedForMs) > turn.ask.patienceMs)
        return refuse(queue, turn, 'too_late', closedForMs, nowMs)
      const bytesAfter = bytes + turn.ask.bytes
      const isFull = fair.size >= policy.maxWaiting || bytesAfter > maxBytes
      const dropped = isFull ? fair.dropFor(turn.ask) : undefined
      if (isFull && (!dropped || bytesAfter - dropped.ask.bytes > maxBytes))
        return refuse(queue, turn, 'queue_full', closedForMs, nowMs)
      if (dropped) {
        takeOut(queue, dropped, nowMs)
        queue.refused++
      }
      turn.set = set
      turn.sinceMs = nowMs
      turn.orderMs = Math.min(turn.ask.deadlineMs, nowMs + policy.agingMs)
      turn.expiresAtMs = nowMs + turn.ask.patienceMs
      fair.add(turn, nowMs)
      queue.waited++
      size++
      bytes = bytesAfter - (dropped?.ask.bytes ?? 0)
      return dropped ? { dropped } : {}
    },
    pump(nowMs, tryStart) {
      if (isPumping || size === 0) return
      isPumping = true
      try {
        for (let rank = 0; rank < CLASSES.length; rank++)
          for (const queue of waitingAt(services, rank)) pumpQueue(queue, nowMs, tryStart)
      } finally {
        isPumping = false
      }
    },
    expire(nowMs) {
      const isTidying = nowMs - tidiedMs >= TIDY_EVERY_MS
      if (isTidying) tidiedMs = nowMs
      const over: Turn<W>[] = []
      for (const queue of size > 0 || isTidying ? [...services.values()].flat() : []) {
        const late = [...queue.fair.waiting()].filter(({ expiresAtMs }) => expiresAtMs <= nowMs)
        for (const turn of late) takeOut(queue, turn, nowMs)
        queue.expired += late.length
        over.push(...late)
        if (isTidying) queue.fair.tidy(nowMs)
      }
      return over
    },
    progress(turn, outputTokens) {
      const queue = known(turn.ask.service, turn.ask.tier)
      if (queue) charge(queue, turn, turn.ask.inputTokens * INPUT_COST + outputTokens * OUTPUT_COST)
    },
    leave(turn, nowMs) {
      if (turn.state === 'waiting') takeOut(queueOf(turn.ask, nowMs), turn, nowMs)
    },
    end(turn, tokens) {
      const queue = known(turn.ask.service, turn.ask.tier)
      if (!queue || turn.state !== 'running') return
      charge(queue, turn, costOf(tokens))
      queue.fair.end(turn)
    },
    retryAfterMs(service, tier, nowMs) {
      const queue = known(service, tier)
      return queue ? retryAfterMs(queue, nowMs) : 0
    },
    hasYielding(tier) {
      if (policies[tier].yields) return false
      for (const queues of services.values())
        for (const { fair, policy } of queues) if (policy.yields && fair.running > 0) return true
      return false
    },
    view: (nowMs) =>
      [...services.values()]
        .flat()
        .filter((queue) => queue.started + queue.waited + queue.refused > 0)
        .map((queue) => viewQueue(queue, nowMs)),
  }
}

/** The queues of one class that somebody waits in, the earliest due first: services that share a supplier take turns by urgency. */
function waitingAt<W>(services: ReadonlyMap<string, readonly ClassQueue<W>[]>, rank: number): readonly ClassQueue<W>[] {
  const found: { queue: ClassQueue<W>; dueMs: number }[] = []
  for (const queues of services.values()) {
    const queue = queues[rank]
    if (!queue || queue.fair.size === 0) continue
    let dueMs = Number.POSITIVE_INFINITY
    for (const { orderMs } of queue.fair.heads()) dueMs = Math.min(dueMs, orderMs)
    found.push({ queue, dueMs })
  }
  return found.length > 1
    ? found.toSorted((a, b) => a.dueMs - b.dueMs).map(({ queue }) => queue)
    : found.map((one) => one.queue)
}

function costOf(tokens: TokenCounts): number {
  return (
    (tokens.uncachedInput + tokens.cacheWrite) * INPUT_COST +
    tokens.cacheRead * CACHED_INPUT_COST +
    (tokens.output + tokens.reasoning) * OUTPUT_COST
  )
}
