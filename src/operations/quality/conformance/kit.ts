import type { Clock } from '#platform/clock'
import { ANSWER_CHECKS } from './checks/answers.ts'
import type { Check } from './checks/check.ts'
import { ERROR_CHECKS } from './checks/errors.ts'
import { LOAD_CHECKS } from './checks/load.ts'
import { PARAMETER_CHECKS } from './checks/parameters.ts'
import { STREAM_CHECKS } from './checks/streams.ts'
import { STRUCTURED_CHECKS, TOOL_CHECKS } from './checks/tools.ts'
import { USAGE_CHECKS } from './checks/usage.ts'
import { fail, notApplicable, summarise } from './model.ts'
import type { CheckResult, ConformanceReport, Finding } from './model.ts'
import { createProbe, reasonOf } from './probe.ts'
import type { Target } from './probe.ts'
import { NotSeen, createSession } from './session.ts'
import type { KitOptions, Session } from './session.ts'

/** In the order in which they are made: the burst comes last, so that no limit it meets falls on another check. */
export const CHECKS: readonly Check[] = [
  ...ANSWER_CHECKS,
  ...STREAM_CHECKS,
  ...USAGE_CHECKS,
  ...ERROR_CHECKS,
  ...PARAMETER_CHECKS,
  ...TOOL_CHECKS,
  ...STRUCTURED_CHECKS,
  ...LOAD_CHECKS,
]

export interface KitProgress {
  readonly done: number
  readonly total: number
  readonly current: string
}

/** Looks at an endpoint with every check, one after another. Needs nothing but the endpoint. */
export async function checkConformance(
  target: Target,
  options: KitOptions,
  { clock, onProgress = () => {} }: { readonly clock: Clock; readonly onProgress?: (progress: KitProgress) => void },
): Promise<ConformanceReport> {
  const probe = createProbe(target)
  const it = createSession(probe, options)
  const startedAtMs = clock.nowMs()
  const results: CheckResult[] = []
  for (const check of CHECKS) {
    onProgress({ done: results.length, total: CHECKS.length, current: check.id })
    const before = performance.now()
    const finding = await look(check, it)
    results.push({ id: check.id, asks: check.asks, ...finding, tookMs: Math.round(performance.now() - before) })
  }
  return {
    kind: 'conformance',
    format: 1,
    baseUrl: target.baseUrl,
    model: target.model,
    tokenizer: options.counter?.method ?? null,
    startedAtMs,
    endedAtMs: clock.nowMs(),
    requests: probe.requests(),
    results,
    ...summarise(results),
  }
}

async function look(check: Check, it: Session): Promise<Finding> {
  try {
    return await check.look(it)
  } catch (error) {
    if (error instanceof NotSeen) return notApplicable(`could not be seen: ${error.message} failed`)
    return fail(`the request failed: ${reasonOf(error)}`)
  }
}
