import type { Account, FlowAsk, Turn } from './turn.ts'

/** The requests of one service and class that wait: the tenant that was served least goes next (VTC, OSDI '24), its earliest due first. */
export interface FairQueue<W> {
  readonly size: number
  readonly running: number
  /** Tenants that wait. */
  readonly tenants: number
  add(turn: Turn<W>, nowMs: number): void
  /** The next of all but those whose `set` is named. */
  next(but: ReadonlySet<string>): Turn<W> | undefined
  remove(turn: Turn<W>): void
  /** It starts, from the queue or without having waited. */
  start(turn: Turn<W>, cost: number, nowMs: number): void
  /** It could not start after all: as if it had not. One that had waited is where it was. */
  undo(turn: Turn<W>, hadWaited: boolean): void
  /** What it has cost until now; less than before gives back. */
  charge(turn: Turn<W>, cost: number): void
  end(turn: Turn<W>): void
  /** The turn that makes room for a new one in a full queue: the last of whoever has most waiting for its weight. */
  dropFor(ask: FlowAsk): Turn<W> | undefined
  /** How many start before a new request of this tenant, if all have what their weights say. */
  ahead(ask: FlowAsk): number
  waiting(): Iterable<Turn<W>>
  /** The first of every tenant that waits. */
  heads(): Iterable<Turn<W>>
  /** Forgets accounts that nobody needs. */
  tidy(nowMs: number): void
}

const IDLE_MS = 60_000

/** `burst` bounds credit and debt, in weighted tokens: no account is further than that from the one served last. */
export function createFairQueue<W>(burst: () => number): FairQueue<W> {
  const accounts = new Map<string, Account<W>>()
  /** Those who wait. */
  const active = new Set<Account<W>>()
  /** What the account that was served last had been served: where a returning tenant joins. Never goes back. */
  let level = 0
  let size = 0
  let running = 0
  let arrivals = 0

  const accountOf = ({ tenant, weight }: FlowAsk, nowMs: number): Account<W> => {
    let account = accounts.get(tenant)
    if (!account) {
      account = { tenant, weight, served: level, waiting: [], running: 0, usedAtMs: nowMs }
      accounts.set(tenant, account)
    }
    account.weight = weight
    account.usedAtMs = nowMs
    return account
  }
  const leastServed = (): number => {
    if (active.size === 0) return level
    let served = Number.POSITIVE_INFINITY
    for (const account of active) served = Math.min(served, account.served)
    return served
  }
  const insert = (account: Account<W>, turn: Turn<W>): void => {
    active.add(account)
    account.waiting.splice(placeOf(account.waiting, turn.orderMs), 0, turn)
    turn.state = 'waiting'
    size++
  }
  const remove = (turn: Turn<W>): void => {
    const { account } = turn
    if (!account || turn.state !== 'waiting') return
    account.waiting.splice(account.waiting.indexOf(turn), 1)
    if (account.waiting.length === 0) active.delete(account)
    turn.state = 'over'
    size--
  }
  const charge = (turn: Turn<W>, cost: number): void => {
    if (!turn.account || turn.state !== 'running') return
    turn.account.served += (cost - turn.charged) / turn.account.weight
    turn.charged = cost
  }
  const end = (turn: Turn<W>): void => {
    if (!turn.account || turn.state !== 'running') return
    turn.account.running--
    turn.state = 'over'
    running--
  }

  return {
    get size() {
      return size
    },
    get running() {
      return running
    },
    get tenants() {
      return active.size
    },
    add(turn, nowMs) {
      const account = accountOf(turn.ask, nowMs)
      // Lift on return: what a tenant left unused while it was away, nobody owes it.
      if (account.waiting.length === 0) account.served = Math.max(account.served, leastServed())
      turn.account = account
      turn.number = ++arrivals
      insert(account, turn)
    },
    next(but) {
      let best: Turn<W> | undefined
      let bestServed = Number.POSITIVE_INFINITY
      const most = burst()
      for (const account of active) {
        const bound = most / account.weight
        account.served = Math.min(Math.max(account.served, level - bound), level + bound)
        if (account.served > bestServed) continue
        const head = but.size === 0 ? account.waiting[0] : account.waiting.find(({ set }) => !but.has(set))
        if (!head || (account.served === bestServed && best && best.number < head.number)) continue
        best = head
        bestServed = account.served
      }
      return best
    },
    remove,
    start(turn, cost, nowMs) {
      const account = turn.account ?? accountOf(turn.ask, nowMs)
      remove(turn)
      // While nobody waits, nobody is kept from anything: what is used then is no debt.
      if (size === 0 && turn.sinceMs === 0) account.served = Math.max(account.served, level)
      level = Math.max(level, account.served)
      turn.account = account
      turn.state = 'running'
      account.running++
      running++
      turn.charged = 0
      charge(turn, cost)
    },
    undo(turn, hadWaited) {
      charge(turn, 0)
      end(turn)
      if (hadWaited && turn.account) insert(turn.account, turn)
    },
    charge,
    end,
    dropFor({ tenant, weight }) {
      let most: Account<W> | undefined
      for (const account of active) if (!most || fullness(account) > fullness(most)) most = account
      const own = (accounts.get(tenant)?.waiting.length ?? 0) + 1
      return most && most.tenant !== tenant && fullness(most) > own / weight ? most.waiting.at(-1) : undefined
    },
    ahead({ tenant, weight }) {
      const own = accounts.get(tenant)?.waiting.length ?? 0
      let weights = own === 0 ? weight : 0
      for (const account of active) weights += account.weight
      return Math.min(size, Math.ceil(((own + 1) * weights) / weight) - 1)
    },
    *waiting() {
      for (const account of active) yield* account.waiting
    },
    *heads() {
      for (const { waiting } of active) yield waiting[0] as Turn<W>
    },
    tidy(nowMs) {
      for (const [tenant, { waiting, running: atWork, served, usedAtMs }] of accounts)
        if (waiting.length === 0 && atWork === 0 && (served <= level || nowMs - usedAtMs > IDLE_MS))
          accounts.delete(tenant)
    },
  }
}

function fullness<W>({ waiting, weight }: Account<W>): number {
  return waiting.length / weight
}

/** Where a turn of this order goes: behind all that are due no later; mostly at the end. */
function placeOf<W>(waiting: readonly Turn<W>[], orderMs: number): number {
  let at = waiting.length
  while (at > 0 && (waiting[at - 1] as Turn<W>).orderMs > orderMs) at--
  return at
}
