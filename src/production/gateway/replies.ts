import { Problem } from '#kernel'
import { headerLine } from '#platform/http'
import type { Exchange } from '#platform/http'
import type { Standing, Ticket } from '#admission'
import { refuseChat } from '#protocols/openai-chat'
import { internalError } from './problems.ts'

const JSON_TYPE = 'content-type: application/json\r\n'
const STREAM_TYPE =
  'content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n'
const EXPOSED =
  'access-control-expose-headers: x-request-id, retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, ' +
  'x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, x-factory-service-tier, x-factory-charge-pico, x-factory-charge-yuan, x-factory-debit, x-factory-supplier, x-factory-model, x-factory-attempts\r\nvary: origin\r\n'

/** Browsers may call from these origins (the console's playground). */
export type AllowedOrigins = ReadonlySet<string>

export function jsonHead(exchange: Exchange, id: string, ticket: Ticket | undefined, origins: AllowedOrigins): string {
  return JSON_TYPE + commonHead(exchange, id, ticket, origins)
}

export function streamHead(exchange: Exchange, id: string, ticket: Ticket, origins: AllowedOrigins): string {
  return STREAM_TYPE + commonHead(exchange, id, ticket, origins)
}

export function commonHead(
  exchange: Exchange,
  id: string,
  ticket: Ticket | undefined,
  origins: AllowedOrigins,
): string {
  return `x-request-id: ${id}\r\n${ticket ? rateHead(ticket) : ''}${corsHead(exchange, origins)}`
}

/** Answers an exchange with a problem in the protocol's shape. Anything that is not a Problem is a bug and says nothing of itself. */
export function refuse(exchange: Exchange, id: string, error: unknown, origins: AllowedOrigins, ticket?: Ticket): void {
  if (exchange.closed) return
  const problem = error instanceof Problem ? error : internalError({}, { cause: error })
  exchange.respond(
    problem.type.status,
    jsonHead(exchange, id, ticket, origins) + retryHead(problem),
    refuseChat(problem),
  )
}

/** A preflight's answer: the console may send its key and JSON. */
export function answerPreflight(exchange: Exchange, origins: AllowedOrigins): void {
  const allowed =
    'access-control-allow-methods: GET, POST, OPTIONS\r\naccess-control-allow-headers: authorization, content-type, x-factory-dry-run\r\naccess-control-max-age: 600\r\n'
  exchange.respond(204, corsHead(exchange, origins) + allowed, '')
}

function corsHead(exchange: Exchange, origins: AllowedOrigins): string {
  const origin = exchange.headers.get('origin')
  return origin !== undefined && origins.has(origin) ? headerLine('access-control-allow-origin', origin) + EXPOSED : ''
}

function retryHead(problem: Problem): string {
  const { retryAfterMs, allowed } = problem.params
  const retry =
    typeof retryAfterMs === 'number' ? `retry-after: ${Math.max(1, Math.ceil(retryAfterMs / 1000))}\r\n` : ''
  return problem.type.status === 405 && typeof allowed === 'string' ? `${retry}allow: ${allowed}\r\n` : retry
}

/** OpenAI's rate-limit headers; only limits that exist are stated. */
function rateHead({ requests, tokens }: Ticket): string {
  return (requests ? standingHead('requests', requests) : '') + (tokens ? standingHead('tokens', tokens) : '')
}

function standingHead(kind: string, { limit, remaining, resetMs }: Standing): string {
  return `x-ratelimit-limit-${kind}: ${limit}\r\nx-ratelimit-remaining-${kind}: ${remaining}\r\nx-ratelimit-reset-${kind}: ${duration(resetMs)}\r\n`
}

/** OpenAI writes durations as `1m12s`, `6.5s` or `20ms`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
