import type { CapabilityFeature } from '#contract'
import type { TokenCounts } from '#kernel'
import type { ChatRequest } from '#protocols/openai-chat'
import type { Ask, Used } from '#scheduler'
import type { Line } from './directory.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'

/** Bytes of a request per token: between English, Chinese and the JSON around them. Nothing is charged by it. */
const BYTES_PER_TOKEN = 4
/** Conversations that begin with the same kibibyte are taken for the same; shorter ones are not worth a cache. */
const PREFIX_BYTES = 1_024

/** What the input will probably be, where `inputBound` is what it can be. */
export function inputEstimate({ request }: Flight): number {
  return Math.ceil(request.body.length / BYTES_PER_TOKEN)
}

/** The request as the scheduler sees it. */
export function askOf(flight: Flight, gateway: Gateway, tried: readonly Line[]): Ask {
  const { caller, service, request, tier } = flight
  return {
    service: service.id,
    slaClass: tier,
    strategy: caller.strategy,
    tenant: caller.tenant,
    inputTokens: inputEstimate(flight),
    expectedOutputTokens: Math.min(flight.outputBound, gateway.scheduler.expectedOutput(caller.tenant, service.id)),
    // Where there is no choice there is nothing to keep together.
    prefixKey: service.lines.length > 1 ? prefixOf(request) : undefined,
    needs: needsOf(request),
    regions: caller.regions,
    nowMs: gateway.nowMs(),
    acceptedAtMs: flight.acceptedAtMs,
    tried,
  }
}

const NEEDS: readonly (readonly CapabilityFeature[])[] = Array.from({ length: 16 }, (_, bits) => [
  ...(bits & 1 ? (['streaming'] as const) : []),
  ...(bits & 2 ? (['tools'] as const) : []),
  ...(bits & 4 ? (['structured_output'] as const) : []),
  ...(bits & 8 ? (['logprobs'] as const) : []),
])

function needsOf({ stream, usesTools, wantsStructure, wantsLogprobs }: ChatRequest): readonly CapabilityFeature[] {
  return NEEDS[Number(stream) + 2 * Number(usesTools) + 4 * Number(wantsStructure) + 8 * Number(wantsLogprobs)] ?? []
}

function prefixOf({ body, spans }: ChatRequest): string | undefined {
  const start = spans.get('messages')?.start
  return start === undefined || body.length - start < PREFIX_BYTES
    ? undefined
    : body.toString('latin1', start, start + PREFIX_BYTES)
}

export function usedOf(tokens: TokenCounts): Used {
  return {
    inputTokens: tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead,
    cachedInputTokens: tokens.cacheRead,
    outputTokens: tokens.output + tokens.reasoning,
  }
}
