import { isIP } from 'node:net'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { SessionReply } from '#contract'
import type { Identity, OpenedSession } from '#identity'
import { equalSecrets } from '#platform/crypto'
import { foreignRequest, notSignedIn, operatorsOnly } from './control-problems.ts'

/** Who asks. A tenant's user sees one tenant; an operator every one. */
export type Caller =
  | { readonly role: 'operator'; readonly email: string; readonly tenant: null }
  | { readonly role: 'tenant'; readonly email: string; readonly tenant: string }

/** Who asks about supply: an operator, or a supplier's people about what is the supplier's. */
export type SupplyCaller =
  | { readonly role: 'operator'; readonly email: string; readonly supplier: undefined }
  | { readonly role: 'supplier'; readonly email: string; readonly supplier: string }

const COOKIE = 'tokenfactory_session'
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

interface CallerDeps {
  readonly identity: Identity
  readonly adminToken: string
  readonly allowedHosts: readonly string[]
}

/**
 * Finds out who asks. Throws `not_signed_in`, `foreign_request` if another site uses the visitor's cookie, and `operators_only` for a
 * supplier's people, to whom nothing is open but what asks for them by `supplyCallerOf`.
 */
export async function callerOf(context: Context, deps: CallerDeps): Promise<Caller> {
  const session = await sessionOf(context, deps)
  if (session.role === 'operator') return { role: 'operator', email: session.email, tenant: null }
  if (session.role === 'supplier') throw operatorsOnly({})
  if (session.tenant === null) throw notSignedIn({})
  return { role: 'tenant', email: session.email, tenant: session.tenant }
}

/** Who asks about supply. Throws as `callerOf` does, `operators_only` for a tenant's people. */
export async function supplyCallerOf(context: Context, deps: CallerDeps): Promise<SupplyCaller> {
  const session = await sessionOf(context, deps)
  if (session.role === 'operator') return { role: 'operator', email: session.email, supplier: undefined }
  if (session.supplier === null) throw operatorsOnly({})
  return { role: 'supplier', email: session.email, supplier: session.supplier }
}

export async function sessionOf(
  context: Context,
  { identity, adminToken, allowedHosts }: CallerDeps,
): Promise<SessionReply> {
  const bearer = bearerOf(context)
  if (bearer !== undefined) {
    // A bearer token is never sent by a browser on its own, so it needs no protection against other sites.
    if (equalSecrets(bearer, adminToken))
      return { email: 'admin token', role: 'operator', tenant: null, supplier: null }
    throw notSignedIn({})
  }
  requireOwnSite(context, allowedHosts)
  const token = getCookie(context, COOKIE)
  const session = token === undefined ? undefined : await identity.session(token)
  if (!session) throw notSignedIn({})
  const { email, role, tenant, supplier } = session
  return { email, role, tenant, supplier }
}

export function bearerOf(context: Context): string | undefined {
  return /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
}

/**
 * Against DNS rebinding: only names that are ours are served, and a rebinding site cannot do without a name of its own. Against
 * forged requests: whatever changes something must come from our own pages, by every sign the browser gives.
 */
export function requireOwnSite(context: Context, allowedHosts: readonly string[]): void {
  const host = context.req.header('host') ?? ''
  if (!isOurHost(host, allowedHosts)) throw foreignRequest({})
  if (SAFE_METHODS.has(context.req.method)) return
  const origin = context.req.header('origin')
  const site = context.req.header('sec-fetch-site')
  const isForeignOrigin = origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host.toLowerCase())
  if (isForeignOrigin || (site !== undefined && site !== 'same-origin' && site !== 'none')) throw foreignRequest({})
}

function isOurHost(host: string, allowedHosts: readonly string[]): boolean {
  if (!URL.canParse(`http://${host}`)) return false
  const { hostname } = new URL(`http://${host}`)
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) !== 0 || bare === 'localhost' || allowedHosts.includes(bare)
}

export function openSessionCookie(context: Context, session: OpenedSession, nowMs: number): void {
  setCookie(context, COOKIE, session.token, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: Math.max(0, Math.floor((session.expiresAtMs - nowMs) / 1000)),
    // Plain http exists on loopback only; behind a TLS proxy the browser says so itself.
    secure: (context.req.header('origin') ?? '').startsWith('https:'),
  })
}

/** Forgets the cookie and returns its token, if there was one. */
export function closeSessionCookie(context: Context): string | undefined {
  const token = getCookie(context, COOKIE)
  deleteCookie(context, COOKIE, { path: '/' })
  return token
}
