import type { NocReply } from '#contract'

/** All services and suppliers together. */
export function totalsOf({ lanes, suppliers, minutes }: NocReply) {
  const sum = <Row>(rows: readonly Row[], of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0)
  const attainment = (last: number) => {
    const span = minutes.slice(-last)
    const valid = sum(span, (minute) => minute.valid)
    return valid === 0 ? null : Math.round((sum(span, (minute) => minute.good) / valid) * 1e6)
  }
  return {
    demandPerMinute: sum(lanes, (lane) => lane.demandPerMinute),
    shedPerMinute: sum(lanes, (lane) => lane.shedPerMinute),
    waiting: sum(lanes, (lane) => lane.waiting),
    oldestMs: Math.max(0, ...lanes.map((lane) => lane.oldestMs)),
    inFlight: sum(suppliers, (supplier) => supplier.inFlight),
    // What is drained takes nothing new.
    capacity: sum(suppliers, (supplier) => (supplier.drain ? 0 : supplier.maxConcurrency)),
    fiveMinutes: attainment(5),
    halfHour: attainment(30),
  }
}
