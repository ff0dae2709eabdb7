import type { UsageRecord } from '#contract'

/** What a supplier claimed about a request that we counted again. Null where a side was not counted exactly. */
export interface AuditFact {
  readonly request: string
  readonly supplier: string
  readonly model: string
  readonly completedAtMs: number
  readonly output: { readonly reported: number; readonly counted: number } | null
  readonly input: { readonly reported: number; readonly counted: number } | null
}

/**
 * The fact in a usage record, if there is one. Left out: answers that were not whole (their text ends where ours does), answers
 * that two suppliers share, and counts that are estimates. The hidden reasoning of a model cannot be counted: only what is visible
 * is compared. A prompt is exact only where we know the model's template, which is with its own vocabulary file.
 */
export function factOf(record: UsageRecord): AuditFact | undefined {
  const { reported, counted, ending, attempts } = record
  if (ending !== 'completed' || !reported || !counted || counted.method.startsWith('estimate')) return undefined
  if (attempts.some(({ role }) => role === 'continuation')) return undefined
  const input = reported.uncachedInput + reported.cacheWrite + reported.cacheRead
  const knowsTemplate = counted.method.startsWith('gguf:')
  const fact = {
    request: record.id,
    supplier: record.supplier,
    model: record.model,
    completedAtMs: record.completedAtMs,
    output: counted.output === null ? null : { reported: reported.output, counted: counted.output },
    input: counted.input === null || !knowsTemplate ? null : { reported: input, counted: counted.input },
  }
  return fact.output || fact.input ? fact : undefined
}
