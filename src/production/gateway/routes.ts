import { Problem } from '#kernel'
import { sha256 } from '#platform/crypto'
import type { Exchange } from '#platform/http'
import { renderModel, renderModels } from '#protocols/openai-chat'
import { UNBUDGETED_BYTES } from './body-budget.ts'
import type { Caller } from './directory.ts'
import type { Gateway } from './gateway.ts'
import {
  bodyTooLarge,
  invalidApiKey,
  methodNotAllowed,
  modelNotFound,
  notReady,
  tenantSuspended,
  unknownRoute,
  unsupportedEncoding,
} from './problems.ts'
import { renderPrices, renderTables } from './published.ts'
import { answerPreflight, commonHead, jsonHead, refuse } from './replies.ts'
import { serve } from './serve.ts'

const CHAT = '/v1/chat/completions'
const MODELS = '/v1/models'
const TABLES = '/v1/factory/conversion-tables'
const PRICES = '/v1/factory/prices'

/** What `admitHead` learned, for when the body is there. */
interface Admitted {
  readonly caller: Caller
  readonly releaseBody: (() => void) | undefined
}

/** Sets memory aside for a large body until it has been read, refused or abandoned. */
function reserveBody(exchange: Exchange, gateway: Gateway): (() => void) | undefined {
  const announced = exchange.headers.get('content-length')
  const bytes =
    announced === undefined ? gateway.settings.maxBodyBytes : Math.min(Number(announced), gateway.settings.maxBodyBytes)
  if (bytes <= UNBUDGETED_BYTES) return undefined
  const release = gateway.bodyBudget.reserve(bytes)
  if (!release) throw notReady({ retryAfterMs: 1000 })
  exchange.onClose(release)
  return release
}

/** Bodies are accepted for chat completions only, from callers that are known: nobody else makes the gateway buffer anything. */
export function admitHead(exchange: Exchange, gateway: Gateway): number {
  try {
    if (exchange.method === 'OPTIONS') {
      answerPreflight(exchange, gateway.settings.allowedOrigins)
      return -1
    }
    if (exchange.path === CHAT) {
      if (exchange.method !== 'POST') throw methodNotAllowed({ allowed: 'POST' })
      if (!gateway.isReady()) throw notReady({ retryAfterMs: 1000 })
      const caller = authenticate(exchange, gateway)
      const encoding = exchange.headers.get('content-encoding')
      if (encoding !== undefined && encoding !== 'identity') throw unsupportedEncoding({})
      exchange.context = { caller, releaseBody: reserveBody(exchange, gateway) } satisfies Admitted
      return gateway.settings.maxBodyBytes
    }
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD')
      throw isKnown(exchange.path) ? methodNotAllowed({ allowed: 'GET' }) : unknownRoute({ method: exchange.method })
    return 0
  } catch (error) {
    refuseAtDoor(exchange, gateway, error)
    return -1
  }
}

export function answer(exchange: Exchange, body: Buffer, gateway: Gateway): void {
  if (exchange.path === CHAT) {
    const { caller, releaseBody } = exchange.context as Admitted
    releaseBody?.()
    serve(exchange, caller, body, gateway)
    return
  }
  try {
    if (exchange.path === MODELS || exchange.path.startsWith(`${MODELS}/`)) answerModels(exchange, gateway)
    else if (exchange.path === TABLES || exchange.path === PRICES) answerPublished(exchange, gateway)
    else if (exchange.path === '/healthz') exchange.respond(200, 'content-type: text/plain\r\n', 'ok\n')
    else if (exchange.path === '/readyz')
      exchange.respond(
        gateway.isReady() ? 200 : 503,
        'content-type: text/plain\r\n',
        gateway.isReady() ? 'ready\n' : 'not ready\n',
      )
    else if (exchange.path === '/metrics') answerMetrics(exchange, gateway)
    else throw unknownRoute({ method: exchange.method })
  } catch (error) {
    refuseAtDoor(exchange, gateway, error)
  }
}

export function refuseOversize(exchange: Exchange, gateway: Gateway): void {
  // Only chat completions take a body, so only they were admitted with one.
  const admitted = exchange.context as Admitted | undefined
  admitted?.releaseBody?.()
  refuseAtDoor(exchange, gateway, bodyTooLarge({ maxBytes: admitted ? gateway.settings.maxBodyBytes : 0 }))
}

function refuseAtDoor(exchange: Exchange, gateway: Gateway, error: unknown): void {
  const id = gateway.newRequestId()
  if (error instanceof Problem) gateway.refused(error.type.code)
  else gateway.log.error({ requestId: id, err: error }, 'request failed on our side')
  refuse(exchange, id, error, gateway.settings.allowedOrigins)
}

const KNOWN = new Set([MODELS, TABLES, PRICES, '/healthz', '/readyz', '/metrics'])

function isKnown(path: string): boolean {
  return KNOWN.has(path) || path.startsWith(`${MODELS}/`)
}

/**
 * `Authorization: Bearer` or `x-api-key`, as the two SDK families send it. Keys are looked up by hash, so how long a look-up takes
 * says nothing about any key's characters.
 */
function authenticate(exchange: Exchange, gateway: Gateway): Caller {
  const authorization = exchange.headers.get('authorization')
  const key = authorization === undefined ? exchange.headers.get('x-api-key') : bearerToken(authorization)
  if (key === undefined) throw invalidApiKey({ reason: 'Give your API key as "Authorization: Bearer <key>".' })
  const caller = gateway.directory().callers.get(hashOf(key, exchange))
  if (!caller) throw invalidApiKey({ reason: 'This API key is not known.' })
  if (caller.state === 'revoked') throw invalidApiKey({ reason: 'This API key has been revoked.' })
  if (caller.expiresAtMs !== null && caller.expiresAtMs <= gateway.nowMs())
    throw invalidApiKey({ reason: 'This API key has expired.' })
  if (caller.state === 'suspended') throw tenantSuspended({})
  return caller
}

/** The key that a connection last came with and its hash: nearly always it comes with the same one again. */
interface KnownKey {
  readonly key: string
  readonly hash: string
}

function hashOf(key: string, exchange: Exchange): string {
  const known = exchange.connectionContext as KnownKey | undefined
  if (known?.key === key) return known.hash
  const hash = sha256(key)
  // Copied, because a piece of the head's text would keep all of it for as long as the connection lives.
  const own = Buffer.from(key, 'latin1').toString('latin1')
  exchange.connectionContext = { key: own, hash } satisfies KnownKey
  return hash
}

function bearerToken(authorization: string): string | undefined {
  if (authorization.startsWith('Bearer ') && !authorization.includes(' ', 7)) return authorization.slice(7)
  return /^bearer +(\S+)$/i.exec(authorization)?.[1]
}

function answerModels(exchange: Exchange, gateway: Gateway): void {
  const caller = authenticate(exchange, gateway)
  const head = jsonHead(exchange, gateway.newRequestId(), undefined, gateway.settings.allowedOrigins)
  const { services } = gateway.directory()
  if (exchange.path === MODELS) {
    exchange.respond(200, head, renderModels([...services.values()].filter((service) => service.mayUse(caller.tenant))))
    return
  }
  const service = services.get(decodeName(exchange.path.slice(MODELS.length + 1)))
  if (!service?.mayUse(caller.tenant)) throw modelNotFound({ param: 'model' })
  exchange.respond(200, head, renderModel(service))
}

function answerPublished(exchange: Exchange, gateway: Gateway): void {
  const caller = authenticate(exchange, gateway)
  const render = exchange.path === TABLES ? renderTables : renderPrices
  const head = jsonHead(exchange, gateway.newRequestId(), undefined, gateway.settings.allowedOrigins)
  exchange.respond(200, head, render(gateway.directory(), caller, gateway.nowMs()))
}

/** The SDKs percent-encode slashes and colons of model names. */
function decodeName(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** Numbers about everybody's traffic are for the operator: only this machine may read them here. */
function answerMetrics(exchange: Exchange, gateway: Gateway): void {
  if (!isLoopback(exchange.remoteAddress)) throw unknownRoute({ method: exchange.method })
  void gateway.metricsText().then(
    (text) =>
      exchange.respond(
        200,
        `content-type: text/plain; version=0.0.4; charset=utf-8\r\n${commonHead(exchange, gateway.newRequestId(), undefined, gateway.settings.allowedOrigins)}`,
        text,
      ),
    (error: unknown) => refuseAtDoor(exchange, gateway, error),
  )
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.')
}
