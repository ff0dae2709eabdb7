import { Hono } from 'hono'
import type { Log } from '#platform/log'
import { createApi } from './control-api.ts'
import type { ApiDeps } from './control-api.ts'
import { createInternal } from './control-internal.ts'
import type { InternalDeps } from './control-internal.ts'
import { renderFailure, unknownPath } from './control-problems.ts'
import { createStatic } from './control-static.ts'
import { createTmfApi } from './control-tmf.ts'
import type { TmfDeps } from './control-tmf.ts'

export interface ControlDeps extends ApiDeps, InternalDeps, TmfDeps {
  readonly log: Log
  /** The built console. */
  readonly staticFolder: string
  /** Throws when requests could not be served properly. */
  readonly checkReady: () => Promise<void>
  readonly renderMetrics: () => string | Promise<string>
  readonly countRequest: (route: string, status: number) => void
}

/** The control plane as one function from request to response; sockets are the caller's business. */
export function createControlApp(deps: ControlDeps): Hono {
  const { log, info } = deps
  const app = new Hono()
  const page = createStatic(deps.staticFolder)
  const policy = contentSecurityPolicy(info.gatewayUrl)

  app.use(async (context, next) => {
    await next()
    context.header('x-content-type-options', 'nosniff')
    context.header('referrer-policy', 'no-referrer')
    context.header('x-frame-options', 'DENY')
    context.header('cross-origin-opener-policy', 'same-origin')
    context.header('cross-origin-resource-policy', 'same-origin')
    context.header('content-security-policy', policy)
    deps.countRequest(areaOf(context.req.path), context.res.status)
  })
  app.use(async (context, next) => {
    // Nothing of ours is called so, and the database refuses such a text as if the failure were ours.
    if (context.req.url.includes('%00')) throw unknownPath({ path: context.req.path.replaceAll('\0', '') })
    await next()
  })
  app.onError((error, context) => renderFailure(error, context, log))

  app.get('/healthz', (context) =>
    context.json({ status: 'ok', version: info.version, schemaVersion: info.schemaVersion }),
  )
  app.get('/readyz', async (context) => {
    try {
      await deps.checkReady()
      return context.json({ status: 'ready', schemaVersion: info.schemaVersion })
    } catch (error) {
      log.warn({ err: error }, 'not ready')
      return context.json({ status: 'not ready' }, 503)
    }
  })
  app.get('/metrics', async (context) =>
    context.text(await deps.renderMetrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  app.route('/api/v1', createApi(deps))
  app.route('/internal/v1', createInternal(deps))
  app.route('/tmf-api', createTmfApi(deps))
  app.get('*', (context) => {
    if (/^\/(?:api|internal)(?:\/|$)/.test(context.req.path)) throw unknownPath({ path: context.req.path })
    return page(context)
  })
  app.notFound((context) => renderFailure(unknownPath({ path: context.req.path }), context, log))
  return app
}

/** No script from elsewhere can run, and nothing but the own API and the gateway can be called. */
function contentSecurityPolicy(gatewayUrl: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    // The component library writes its styles into the page.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src 'self' ${new URL(gatewayUrl).origin}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ')
}

/** A label with few values, however many paths somebody tries. */
function areaOf(path: string): string {
  if (path.startsWith('/api/')) return 'api'
  if (path.startsWith('/internal/')) return 'internal'
  if (path.startsWith('/tmf-api/')) return 'tmf'
  return path === '/metrics' || path === '/healthz' || path === '/readyz' ? 'probe' : 'console'
}
