import { isDeepStrictEqual } from 'node:util'
import { NO_TOKENS } from '#kernel'
import { manualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { createHolds } from '#holds'
import type { ChargingClient, Hold, Holds, Part, Refusal, RequestOpening, Timer } from '#holds'
import { chargingModel } from './simulated-charging.ts'
import type { ChargingRules } from './simulated-charging.ts'
import { journalModel } from './simulated-journal.ts'
import { CAP, TOKENS, openingOf, recordOf } from './simulated-requests.ts'

/** One thing that happens in the simulated world. `index` picks among what is there, modulo its number. */
export type Step =
  | {
      readonly kind: 'place'
      readonly tenant: number
      readonly amount: number
      /** Less than the amount will do from this on: a shorter answer. */
      readonly least?: number
      /** Counts against the spend cap as well. */
      readonly capped?: boolean
      /** Takes up to this much of the tokens first; nothing when they are gone. */
      readonly tokens?: number
    }
  | {
      readonly kind: 'checkpoint' | 'void' | 'deliver' | 'reply' | 'loseRequest' | 'loseReply' | 'duplicate'
      readonly index: number
    }
  | { readonly kind: 'finish'; readonly index: number; readonly share: number; readonly captureFirst: boolean }
  | { readonly kind: 'sync'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Everything under way arrives and is answered; what that causes is left under way. `syncs`: the disk keeps up as well. */
  | { readonly kind: 'flow'; readonly syncs: boolean }
  | { readonly kind: 'crash'; readonly written: number }
  /** A crash, and the next start finds another disk: an empty one, or one that was lost before. */
  | { readonly kind: 'swap'; readonly written: number; readonly index: number }

interface Message {
  readonly apply: () => unknown
  reply?: unknown
  resolve: ((reply: unknown) => void) | undefined
  reject: ((error: Error) => void) | undefined
}

interface ActiveRequest {
  readonly id: string
  readonly parts: readonly Part[]
  readonly holds: readonly Hold[]
  readonly opening: RequestOpening
  isOpened: boolean
}

/**
 * Runs the real service on a model of charging, a model of a journal that may lose what it has not acknowledged, a network
 * that loses, repeats and reorders, and a clock of its own; then lets everything come to rest and reports what is left.
 */
export async function simulate({
  wallets,
  cap = 0n,
  tokens = 0n,
  rules = { mode: 'strict' },
  overrunPercent = 0,
  steps,
}: {
  wallets: readonly bigint[]
  /** What a spend cap on everybody together has left, and what there is in tokens. */
  cap?: bigint
  tokens?: bigint
  rules?: ChargingRules
  /** A fault on purpose: requests cost this much more than their holds allow. */
  overrunPercent?: number
  steps: readonly Step[]
}) {
  const clock = manualClock(1_000_000)
  const violations: string[] = []
  const filled = new Map([
    ...wallets.map((amount, i) => [`wallet:t${i}`, amount] as const),
    [CAP, cap],
    [TOKENS, tokens],
  ])
  const charging = chargingModel(filled, () => clock.nowMs(), violations, rules)
  const disks = [journalModel('journal-0'), journalModel('journal-1'), journalModel('journal-2')] as const
  let store = disks[0]
  const refusals: Refusal[] = []
  const acknowledged = new Map<string, string>()
  let net: Message[] = []
  let timers: Array<{ atMs: number; run: () => void }> = []
  let active: ActiveRequest[] = []
  let usedBySlice = new Map<string, bigint>()
  let requests = 0
  let mostEntriesKept = 0
  let holds: Holds

  const timer: Timer = (delayMs, run) => {
    const entry = { atMs: clock.nowMs() + delayMs, run }
    timers.push(entry)
    return () => void (timers = timers.filter((each) => each !== entry))
  }

  function start(): void {
    const send = <T>(apply: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        net.push({ apply, resolve: (reply) => resolve(reply as T), reject })
      })
    const client: ChargingClient = {
      register: (_gateway, journal) => send(() => charging.register(journal)),
      grant: (request) => send(() => charging.grant(request)),
      close: (_gateway, journal, slice, records) => send(() => charging.close(journal, slice, records)),
      openSlices: (_gateway, journal) => send(() => charging.openSlices(journal)),
      usage(_gateway, records) {
        const reply = send(() => charging.usage(records.map((record) => record.toString())))
        // The mutant takes the sending for the arrival: slices are closed while their records are on the way.
        if (rules.mutant !== 'early_close') return reply
        reply.catch(() => undefined)
        return Promise.resolve(ALL_ACCEPTED)
      },
    }
    holds = createHolds({
      gateway: 'gw-0',
      journal: store.open(),
      charging: client,
      clock,
      log: nullLog,
      timer,
      limits: { sliceMinPico: 10n, sliceMaxPico: 50n, compactAfterEntries: 4, reconcileMs: 10_000 },
    })
  }

  function use(slice: string | null, amountPico: bigint): void {
    if (slice === null) return
    const used = (usedBySlice.get(slice) ?? 0n) + amountPico
    usedBySlice.set(slice, used)
    if (used > charging.granted(slice)) violations.push(`holds and captures of ${slice} exceed its grant`)
  }

  function place(step: Step & { kind: 'place' }): void {
    const { tenant, amount, least, capped, tokens: wanted } = step
    // After a crash `active` is another array: nobody is left to hear the dead process.
    const alive = active
    const atLeast = least === undefined ? {} : { atLeast: BigInt(least) }
    const wallet = { ...whole(`wallet:t${tenant}`, amount), ...atLeast }
    const parts = [
      ...(wanted ? [{ bucket: TOKENS, amount: BigInt(wanted), atLeast: 1n, optional: true }] : []),
      ...(capped ? [{ ...whole(CAP, amount), ...atLeast }] : []),
      wallet,
    ]
    const done = (outcome: readonly Hold[] | Refusal): void => {
      if (alive !== active) return
      if ('refused' in outcome) {
        // Tokens that are gone are passed over.
        if (outcome.bucket === TOKENS) place({ ...step, tokens: 0 })
        else refusals.push(outcome)
        return
      }
      for (const hold of outcome) use(hold.slice, hold.amount)
      const id = `req_${String(++requests).padStart(26, '0')}`
      active.push({ id, parts, holds: outcome, opening: openingOf(id, `t${tenant}`, parts, outcome), isOpened: false })
    }
    if (parts.length > 1) holds.placeAll(parts, done)
    else
      holds.place(
        wallet.bucket,
        wallet.amount,
        (outcome) => done('refused' in outcome ? outcome : [outcome]),
        wallet.atLeast,
      )
  }

  function open(request: ActiveRequest): void {
    request.isOpened = true
    holds.open(request.opening)
  }

  function finish(request: ActiveRequest, share: number, captureFirst: boolean): void {
    active.splice(active.indexOf(request), 1)
    const spent = request.holds.map((hold) => (hold.amount * BigInt(share)) / 100n)
    const record = recordOf(
      request.opening,
      spent.map((amount) => (amount * BigInt(100 + overrunPercent)) / 100n),
    )
    const capture = (): void =>
      request.holds.forEach((hold, i) => {
        use(hold.slice, (spent[i] ?? 0n) - hold.amount)
        hold.capture(spent[i] ?? 0n)
      })
    if (captureFirst) capture()
    holds.record(record, (error) => {
      if (!error) acknowledged.set(record.id, JSON.stringify(record))
    })
    if (!captureFirst) capture()
  }

  const pick = <T>(all: readonly T[], index: number): T | undefined => all[index % Math.max(1, all.length)]

  async function wait(ms: number): Promise<void> {
    const until = clock.nowMs() + ms
    for (;;) {
      const next = timers.filter((each) => each.atMs <= until).sort((a, b) => a.atMs - b.atMs)[0]
      if (!next) break
      timers = timers.filter((each) => each !== next)
      clock.advance(Math.max(0, next.atMs - clock.nowMs()))
      next.run()
      await settle()
    }
    clock.advance(until - clock.nowMs())
  }

  function deliver(message: Message): void {
    message.reply = { value: message.apply() }
  }

  function answer(message: Message): void {
    net = net.filter((each) => each !== message)
    message.resolve?.((message.reply as { value: unknown }).value)
  }

  function restart(written: number, disk: typeof store): void {
    // What the dead process had sent may still arrive; nobody hears the answers.
    for (const message of net) message.resolve = message.reject = undefined
    store.crash(written)
    store = disk
    timers = []
    active = []
    usedBySlice = new Map([...charging.settled()])
    start()
  }

  async function run(step: Step): Promise<void> {
    const arriving = net.filter((message) => message.reply === undefined)
    const returning = net.filter((message) => message.reply !== undefined)
    switch (step.kind) {
      case 'place':
        place(step)
        break
      case 'checkpoint': {
        const request = pick(active, step.index)
        if (!request) break
        if (!request.isOpened) open(request)
        else holds.checkpoint(request.id, { atMs: clock.nowMs(), tokens: { ...NO_TOKENS, output: 1 }, buyPico: '1' })
        break
      }
      case 'void': {
        const request = pick(
          active.filter((each) => !each.isOpened),
          step.index,
        )
        if (!request) break
        active.splice(active.indexOf(request), 1)
        for (const hold of request.holds) {
          use(hold.slice, -hold.amount)
          hold.void()
        }
        break
      }
      case 'finish': {
        const request = pick(active, step.index)
        if (request) finish(request, step.share, step.captureFirst)
        break
      }
      case 'sync':
        store.sync(step.count)
        break
      case 'deliver': {
        const message = pick(arriving, step.index)
        if (message) deliver(message)
        break
      }
      case 'reply': {
        const message = pick(returning, step.index)
        if (message) answer(message)
        break
      }
      case 'duplicate':
        pick(arriving, step.index)?.apply()
        break
      case 'loseRequest':
      case 'loseReply': {
        const message = pick(step.kind === 'loseRequest' ? arriving : returning, step.index)
        if (!message) break
        net = net.filter((each) => each !== message)
        message.reject?.(new Error('lost'))
        break
      }
      case 'flow':
        if (step.syncs) store.sync(Infinity)
        await settle()
        for (const message of [...net]) if (message.reply === undefined) deliver(message)
        for (const message of [...net]) answer(message)
        break
      case 'wait':
        await wait(step.ms)
        break
      case 'crash':
        restart(step.written, store)
        break
      case 'swap':
        restart(step.written, pick(disks, step.index) ?? store)
        break
    }
    await settle()
  }

  async function comeToRest(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const request of [...active]) finish(request, 50, false)
      store.sync(Infinity)
      await settle()
      for (const message of [...net]) if (message.reply === undefined) deliver(message)
      for (const message of [...net]) answer(message)
      await settle()
      await wait(250)
    }
  }

  start()
  await settle()
  for (const step of steps) {
    await run(step)
    mostEntriesKept = Math.max(mostEntriesKept, store.kept())
  }
  const escrowedAfterSteps = charging.escrowed()
  await comeToRest(120)
  // Disks that were lost come back one after the other; until then nobody may have touched what is theirs.
  const last = store
  for (const disk of steps.some(({ kind }) => kind === 'swap') ? disks.filter((each) => each !== last) : []) {
    restart(100, disk)
    await comeToRest(120)
  }
  // One more request, so that what is discarded late is discarded.
  place({ kind: 'place', tenant: 0, amount: 1 })
  await comeToRest(80)
  const posted = charging.posted()
  return {
    violations,
    refusals,
    unpostedAcknowledged: [...acknowledged]
      .filter(([id, text]) => !isDeepStrictEqual(JSON.parse(posted.get(id) ?? 'null'), JSON.parse(text)))
      .map(([id]) => id),
    postedTwiceDifferently: charging.altered,
    postedIds: [...posted.keys()],
    sold: (bucket: string) => charging.sold(bucket),
    requestsWithoutRecord: disks.flatMap((disk) => disk.opened()).filter((id) => !posted.has(id)),
    /** What every bucket has sold is what the records say, each counted once. */
    soldByRecords: charging.isSoldByRecords(),
    worstShortfall: charging.worstShortfall(),
    reclaimedLeft: charging.reclaimedLeft(),
    openSlicesAtCharging: charging.openSlices().length,
    escrowedAfterSteps,
    lockedPico: charging.escrowed(),
    conserved: charging.balancePlusSold().every(([bucket, amount]) => filled.get(bucket as string) === amount),
    stats: holds!.stats(),
    journalEntriesKept: store.kept(),
    mostEntriesKept,
  }
}

const ALL_ACCEPTED = { accepted: 0, duplicates: 0, quarantined: [] }

const whole = (bucket: string, amount: number): Part => ({
  bucket,
  amount: BigInt(amount),
  atLeast: BigInt(amount),
  optional: false,
})

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
