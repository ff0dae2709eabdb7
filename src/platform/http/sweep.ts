/**
 * One coarse timer for all deadlines of a server or client. Setting and clearing a timer per request costs more than
 * parsing it; here a deadline is one number, counted in ticks, and is met up to one tick late, never early.
 */
export interface Sweep {
  /** The tick at which something that starts now and may take `ms` has expired. */
  after(ms: number): number
  readonly tick: number
  start(): void
  stop(): void
}

/** `onTick` looks through whatever has deadlines. */
export function createSweep(shortestMs: number, onTick: (tick: number) => void): Sweep {
  const intervalMs = Math.min(1000, Math.max(5, Math.floor(shortestMs / 4)))
  let tick = 1
  let timer: NodeJS.Timeout | undefined
  return {
    after: (ms) => tick + Math.ceil(ms / intervalMs) + 1,
    get tick() {
      return tick
    },
    start() {
      timer ??= setInterval(() => onTick(++tick), intervalMs).unref()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
