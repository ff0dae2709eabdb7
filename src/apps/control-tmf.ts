import { Hono } from 'hono'
import { Problem } from '#kernel'
import type { Log } from '#platform/log'
import { tmfError, tmfRoutes } from '#tmf'
import type { Tmf } from '#tmf'
import type { ApiDeps } from './control-api.ts'
import { callerOf } from './control-caller.ts'
import { internalError, operatorsOnly } from './control-problems.ts'

export interface TmfDeps extends Pick<ApiDeps, 'identity' | 'adminToken' | 'allowedHosts' | 'catalogue'> {
  readonly tmf: Tmf
  readonly log: Log
}

/** The TM Forum APIs for the operator's business support system: the operator's token, and errors in the forum's shape. */
export function createTmfApi(deps: TmfDeps): Hono {
  const { tmf, log, catalogue } = deps
  const api = new Hono()
  api.onError((error, context) => {
    const problem = error instanceof Problem ? error : internalError({}, { cause: error })
    if (!(error instanceof Problem)) log.error({ err: error, path: context.req.path }, 'a request failed')
    const headers: Record<string, string> = { 'content-type': 'application/json', 'cache-control': 'no-store' }
    if (problem.type.status === 401) headers['www-authenticate'] = 'Bearer'
    return new Response(JSON.stringify(tmfError(problem)), { status: problem.type.status, headers })
  })
  api.use(async (context, next) => {
    const { role } = await callerOf(context, deps)
    if (role !== 'operator') throw operatorsOnly({})
    await next()
    context.header('cache-control', 'no-store')
    if (context.req.method !== 'GET') catalogue.wake()
  })
  api.route('/', tmfRoutes(tmf))
  return api
}
