import { MAX_TOKENS_PER_CLASS } from '#kernel'
import type { TokenCounts } from '#kernel'

/** A supplier's usage object read into disjoint classes, or why it cannot be believed. */
export type ReportedUsage =
  | { readonly ok: true; readonly tokens: TokenCounts; readonly note: string | null }
  | { readonly ok: false; readonly reason: string }

/**
 * Reads the `usage` object of chat completions. OpenAI counts cached and reasoning tokens inside the prompt and completion
 * totals; we take them out, so that every token is in one class. DeepSeek names cache reads `prompt_cache_hit_tokens`.
 */
export function readUsage(value: unknown): ReportedUsage {
  if (typeof value !== 'object' || value === null) return { ok: false, reason: 'usage is not an object' }
  const usage = value as Readonly<Record<string, unknown>>
  const prompt = usage['prompt_tokens']
  const completion = usage['completion_tokens']
  if (!isCount(prompt)) return { ok: false, reason: 'prompt_tokens is not a count' }
  if (!isCount(completion)) return { ok: false, reason: 'completion_tokens is not a count' }
  const cacheRead =
    detail(usage['prompt_tokens_details'], 'cached_tokens') ?? count(usage['prompt_cache_hit_tokens']) ?? 0
  const cacheWrite = detail(usage['prompt_tokens_details'], 'cache_write_tokens') ?? 0
  const reasoning = detail(usage['completion_tokens_details'], 'reasoning_tokens') ?? 0
  if (cacheRead + cacheWrite > prompt) return { ok: false, reason: 'more cached tokens than prompt tokens' }
  if (reasoning > completion) return { ok: false, reason: 'more reasoning tokens than completion tokens' }
  const total = usage['total_tokens']
  const note =
    isCount(total) && total !== prompt + completion
      ? `supplier's total_tokens is ${total}, its parts sum to ${prompt + completion}`
      : null
  return {
    ok: true,
    tokens: {
      uncachedInput: prompt - cacheRead - cacheWrite,
      cacheWrite,
      cacheRead,
      output: completion - reasoning,
      reasoning,
    },
    note,
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS_PER_CLASS
}

function count(value: unknown): number | undefined {
  return isCount(value) ? value : undefined
}

function detail(details: unknown, name: string): number | undefined {
  if (typeof details !== 'object' || details === null) return undefined
  return count((details as Readonly<Record<string, unknown>>)[name])
}
