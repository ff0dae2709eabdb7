import type { Context, Hono } from 'hono'
import {
  CancelRequest,
  ChangeRequest,
  DecisionRequest,
  FactoryOffer,
  MemberAnswer,
  MemberRequest,
  OrderRequest,
  QuoteRequest,
  RenewalRequest,
} from '#contract'
import type { Offers } from '#catalogue'
import type { Actor, Ordering } from '#ordering'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { checked } from './control-problems.ts'
import { OrdersQuery, TenantQuery } from './control-requests.ts'

const BODY_BYTES = 64 * 1024

interface OrderingRoutes {
  readonly offers: Offers
  readonly ordering: Ordering
  readonly caller: (context: Context) => Promise<Caller>
  readonly operator: (context: Context) => Promise<Caller>
  readonly scope: (who: Caller, tenant: string | undefined) => string | undefined
  readonly oneTenant: (who: Caller, tenant: string | undefined) => Promise<string>
}

/** Offers, quotes, orders and subscriptions. A tenant's user buys, changes and cancels for the own tenant, an operator for any. */
export function addOrdering(api: Hono, { offers, ordering, caller, operator, scope, oneTenant }: OrderingRoutes): void {
  const actorOf = (who: Caller): Actor => ({ by: who.email, isOperator: who.role === 'operator' })
  const own = (who: Caller) => scope(who, undefined)
  /** Whose subscription it is; to a tenant's user those of others do not exist. */
  const ownerOf = async (who: Caller, subscription: string) =>
    (await ordering.subscriptionById(subscription, own(who))).tenant

  api.get('/offers', async (context) => {
    const who = await caller(context)
    return context.json(await offers.list(scope(who, checked(TenantQuery, context.req.query()).tenant)))
  })
  api.post('/offers', async (context) => {
    await operator(context)
    const { action, view } = await offers.put(await readBody(context, FactoryOffer, BODY_BYTES))
    return context.json(view, action === 'created' ? 201 : 200)
  })

  api.post('/quotes', async (context) => {
    const who = await caller(context)
    const { tenant, offer, configuration } = await readBody(context, QuoteRequest, BODY_BYTES)
    const buyer = await oneTenant(who, tenant)
    return context.json(await ordering.quote({ tenant: buyer, offer, configuration }, actorOf(who)), 201)
  })
  api.get('/quotes/:id', async (context) => {
    const who = await caller(context)
    return context.json(await ordering.quoteById(context.req.param('id'), own(who)))
  })

  api.get('/orders', async (context) => {
    const who = await caller(context)
    return context.json(await ordering.orders(pageOf(context, who)))
  })
  api.post('/orders', async (context) => {
    const who = await caller(context)
    const { tenant, ...request } = await readBody(context, OrderRequest, BODY_BYTES)
    const buyer = await oneTenant(who, tenant)
    return context.json(await ordering.order({ ...request, tenant: buyer }, actorOf(who)), 201)
  })
  api.get('/orders/:id', async (context) => {
    const who = await caller(context)
    return context.json(await ordering.orderById(context.req.param('id'), own(who)))
  })
  api.post('/orders/:id/approve', async (context) => {
    const who = await operator(context)
    const { reason } = await readBody(context, DecisionRequest, BODY_BYTES)
    return context.json(await ordering.approve(context.req.param('id'), actorOf(who), reason))
  })
  api.post('/orders/:id/reject', async (context) => {
    const who = await operator(context)
    const { reason } = await readBody(context, DecisionRequest, BODY_BYTES)
    return context.json(await ordering.reject(context.req.param('id'), actorOf(who), reason))
  })
  api.post('/orders/:id/cancel', async (context) => {
    const who = await caller(context)
    const { reason } = await readBody(context, DecisionRequest, BODY_BYTES)
    return context.json(await ordering.cancelOrder(context.req.param('id'), actorOf(who), reason, own(who)))
  })

  api.get('/subscriptions', async (context) => {
    const who = await caller(context)
    return context.json(await ordering.subscriptions(pageOf(context, who)))
  })
  api.get('/subscriptions/:id', async (context) => {
    const who = await caller(context)
    return context.json(await ordering.subscriptionById(context.req.param('id'), own(who)))
  })
  api.post('/subscriptions/:id/cancel', async (context) => {
    const who = await caller(context)
    const subscription = context.req.param('id')
    const request = await readBody(context, CancelRequest, BODY_BYTES)
    const tenant = await ownerOf(who, subscription)
    return context.json(await ordering.cancel({ ...request, subscription, tenant }, actorOf(who)), 201)
  })
  api.post('/subscriptions/:id/change', async (context) => {
    const who = await caller(context)
    const subscription = context.req.param('id')
    const request = await readBody(context, ChangeRequest, BODY_BYTES)
    const tenant = await ownerOf(who, subscription)
    return context.json(await ordering.change({ ...request, subscription, tenant }, actorOf(who)), 201)
  })
  api.post('/subscriptions/:id/renewal', async (context) => {
    const who = await caller(context)
    const subscription = context.req.param('id')
    const { autoRenew } = await readBody(context, RenewalRequest, BODY_BYTES)
    const tenant = await ownerOf(who, subscription)
    return context.json(await ordering.setAutoRenew({ subscription, tenant, autoRenew }))
  })
  api.post('/subscriptions/:id/members', async (context) => {
    const who = await caller(context)
    const subscription = context.req.param('id')
    const { tenant: member } = await readBody(context, MemberRequest, BODY_BYTES)
    const tenant = await ownerOf(who, subscription)
    return context.json(await ordering.addMember({ subscription, tenant, member }, actorOf(who)))
  })
  api.post('/subscriptions/:id/members/remove', async (context) => {
    const who = await caller(context)
    const subscription = context.req.param('id')
    const { tenant: member } = await readBody(context, MemberRequest, BODY_BYTES)
    const tenant = await ownerOf(who, subscription)
    return context.json(await ordering.removeMember({ subscription, tenant, member }))
  })

  api.post('/subscriptions/:id/members/accept', async (context) => {
    const request = await answerOf(context)
    await ordering.acceptInvitation(request)
    return context.json(await ordering.invitations(request.member))
  })
  api.post('/subscriptions/:id/members/leave', async (context) => {
    const request = await answerOf(context)
    await ordering.leave(request)
    return context.json(await ordering.invitations(request.member))
  })
  api.get('/invitations', async (context) => {
    const who = await caller(context)
    return context.json(await ordering.invitations(scope(who, checked(TenantQuery, context.req.query()).tenant)))
  })

  api.get('/arrears', async (context) => {
    const who = await caller(context)
    return context.json(await ordering.arrears.list(scope(who, checked(TenantQuery, context.req.query()).tenant)))
  })

  /** Who was invited answers for itself; an operator says for whom. */
  async function answerOf(context: Context): Promise<{ subscription: string; member: string }> {
    const who = await caller(context)
    const { tenant } = await readBody(context, MemberAnswer, BODY_BYTES)
    return { subscription: context.req.param('id') ?? '', member: await oneTenant(who, tenant) }
  }

  function pageOf(context: Context, who: Caller) {
    const { tenant, limit, before } = checked(OrdersQuery, context.req.query())
    const whose = scope(who, tenant)
    return {
      limit,
      ...(whose === undefined ? {} : { tenant: whose }),
      ...(before === undefined ? {} : { before }),
    }
  }
}
