import { useQuery } from '@tanstack/react-query'
import { createContext, use } from 'react'
import * as z from 'zod'
import { InfoReply, ServiceView, TenantView } from '#contract'
import type { SessionReply } from '#contract'
import { get } from './api.ts'
import { useRoute } from './router.ts'

export const SessionContext = createContext<SessionReply | null>(null)

export interface Scope {
  readonly session: SessionReply
  readonly isOperator: boolean
  /** The tenant whose data is shown: the own one, or what an operator chose; null shows all. */
  readonly tenant: string | null
  /** What to send as `tenant`: a tenant user's calls are scoped by the session. */
  readonly tenantQuery: string | null
}

/** Who is looking, and at whose data. The operator's choice lives in the address. */
export function useScope(): Scope {
  const session = use(SessionContext)
  const { search } = useRoute()
  if (!session) throw new Error('useScope outside of a signed-in page')
  const isOperator = session.role === 'operator'
  const tenant = isOperator ? search.get('tenant') : session.tenant
  return { session, isOperator, tenant, tenantQuery: isOperator ? tenant : null }
}

export function useTenants() {
  const { isOperator } = useScope()
  return useQuery({
    queryKey: ['tenants'],
    queryFn: ({ signal }) => get('/tenants', z.array(TenantView), { signal }),
    enabled: isOperator,
    staleTime: 10_000,
  })
}

export function useServices() {
  return useQuery({
    queryKey: ['services'],
    queryFn: ({ signal }) => get('/services', z.array(ServiceView), { signal }),
    staleTime: 10_000,
  })
}

export function useInfo() {
  return useQuery({
    queryKey: ['info'],
    queryFn: ({ signal }) => get('/info', InfoReply, { signal }),
    staleTime: Infinity,
    select: withApiBase,
  })
}

/** The gateway may be named by its origin or by its API base URL; SDKs and we need the latter. */
export function withApiBase(info: InfoReply): InfoReply {
  const url = info.gatewayUrl.replace(/\/+$/, '')
  return { ...info, gatewayUrl: /\/v\d+$/.test(url) ? url : `${url}/v1` }
}
