import type { VerifyProgress } from '#contract'
import { count } from './format.ts'

const CELLS = 24

/** Shows where verify is, and how long the step that looks at each record will take if it goes on like this. */
export function progressLine(nowMs: () => number): (progress: VerifyProgress) => string {
  let step = 0
  let startedMs = 0
  return ({ step: current, steps, what, done, total }) => {
    if (current !== step) {
      step = current
      startedMs = nowMs()
    }
    const head = `[${current}/${steps}] ${what}`
    if (total === 0) return head
    const filled = Math.floor((CELLS * done) / total)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)}`
    const leftMs = done > 0 ? ((nowMs() - startedMs) * (total - done)) / done : 0
    return `${head} ${bar} ${Math.floor((100 * done) / total)} %, ${count(done)} of ${count(total)}, ${left(leftMs)} left`
  }
}

function left(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
