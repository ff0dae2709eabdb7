import type { Workload } from './workload.ts'

/** The same requests in the same order, arriving `rate(part)` times as fast where `part` of the requests' own time has passed. */
export function warped(workload: Workload, rate: (part: number) => number): Workload {
  const { arrivalMs, count } = workload
  const all = arrivalMs[count - 1] ?? 0
  let atMs = 0
  let before = 0
  const moved = arrivalMs.map((ownMs) => {
    atMs += (ownMs - before) / rate(ownMs / all)
    before = ownMs
    return atMs
  })
  return { ...workload, arrivalMs: moved }
}
