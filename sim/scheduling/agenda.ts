/** What is to happen, by time; at the same time, in the order in which it was planned, so that runs repeat exactly. */
export interface Agenda {
  readonly nowMs: number
  /** How many things have happened. */
  readonly events: number
  at<T>(atMs: number, happen: (what: T) => void, what: T): void
  /** Until nothing is left to happen, or the time has come. */
  run(untilMs?: number): void
}

type Happen = (what: unknown) => void

/** A binary heap in flat arrays: an event costs no object of its own. */
export function createAgenda(): Agenda {
  let room = 1_024
  let times = new Float64Array(room)
  let turns = new Float64Array(room)
  const happens: Happen[] = []
  const whats: unknown[] = []
  let size = 0
  let planned = 0
  let nowMs = 0
  let events = 0

  const isBefore = (time: number, turn: number, at: number): boolean =>
    time < (times[at] as number) || (time === times[at] && turn < (turns[at] as number))
  const put = (at: number, time: number, turn: number, happen: Happen, what: unknown): void => {
    times[at] = time
    turns[at] = turn
    happens[at] = happen
    whats[at] = what
  }
  const move = (from: number, to: number): void =>
    put(to, times[from] as number, turns[from] as number, happens[from] as Happen, whats[from])
  const grow = (): void => {
    room *= 2
    const [wider, longer] = [new Float64Array(room), new Float64Array(room)]
    wider.set(times)
    longer.set(turns)
    times = wider
    turns = longer
  }
  const sinkLast = (): void => {
    size--
    const [time, turn, happen, what] = [times[size] as number, turns[size] as number, happens[size], whats[size]]
    whats[size] = undefined
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && isBefore(times[child + 1] as number, turns[child + 1] as number, child)) child++
      if (isBefore(time, turn, child)) break
      move(child, at)
      at = child
    }
    if (size > 0) put(at, time, turn, happen as Happen, what)
  }

  return {
    get nowMs() {
      return nowMs
    },
    get events() {
      return events
    },
    at(atMs, happen, what) {
      if (!(atMs >= nowMs)) throw new Error(`planned for ${atMs}, but it is ${nowMs}`)
      if (size === room) grow()
      const turn = planned++
      let at = size++
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (!isBefore(atMs, turn, parent)) break
        move(parent, at)
        at = parent
      }
      put(at, atMs, turn, happen as Happen, what)
    },
    run(untilMs = Number.POSITIVE_INFINITY) {
      while (size > 0 && (times[0] as number) <= untilMs) {
        nowMs = times[0] as number
        const [happen, what] = [happens[0] as Happen, whats[0]]
        sinkLast()
        events++
        happen(what)
      }
    },
  }
}
