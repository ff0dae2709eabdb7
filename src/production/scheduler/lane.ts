import type { SlaTarget } from '#contract'
import { createCalibration } from './calibration.ts'
import type { Calibration } from './calibration.ts'
import { createDebt } from './debt.ts'
import type { Debt } from './debt.ts'

/** Where no price of a miss was declared, it is worth this many times what a request costs. */
const TIMES_THE_PRICE = 5
const GAIN = 0.02

/** One service's promise to one class: its target, what misses are worth now, and how good our predictions of them are. */
export interface Lane {
  readonly service: string
  readonly slaClass: SlaTarget['class']
  target: SlaTarget
  lnTtftMs: number
  lnTpotMs: number
  /** Share of requests that may miss. */
  allowance: number
  /** What was declared that a missed request costs, in pico-yuan; 0: nothing was. */
  declaredPrice: number
  readonly debt: Debt
  readonly calibration: Calibration
  /** EWMA of what a request costs, in pico-yuan. */
  usualPrice: number
}

export function createLane(service: string, target: SlaTarget): Lane {
  const lane: Lane = {
    service,
    slaClass: target.class,
    target,
    lnTtftMs: 0,
    lnTpotMs: 0,
    allowance: 0,
    declaredPrice: 0,
    debt: createDebt(Number(target.missPico)),
    calibration: createCalibration(),
    usualPrice: 0,
  }
  retarget(lane, target)
  return lane
}

export function retarget(lane: Lane, target: SlaTarget): void {
  lane.target = target
  lane.lnTtftMs = Math.log(target.ttftMs)
  lane.lnTpotMs = Math.log(target.tpotMs)
  lane.allowance = 1 - target.attainmentPpm / 1e6
  lane.declaredPrice = Number(target.missPico)
}

/** V_min: what a missed request costs us. */
export function floorOf(lane: Lane): number {
  return lane.declaredPrice || TIMES_THE_PRICE * lane.usualPrice
}

export function learnPrice(lane: Lane, price: number): void {
  lane.usualPrice = lane.usualPrice === 0 ? price : lane.usualPrice + GAIN * (price - lane.usualPrice)
}
