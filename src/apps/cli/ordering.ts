import * as z from 'zod'
import { FactoryOffer, InvitationView, OfferView, OrderView, QuoteView, SubscriptionView } from '#contract'
import type { Configuration, Entitlement } from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { amount, time, yuan } from './format.ts'
import { required } from './options.ts'
import { printable, renderTable } from './table.ts'

const CHOICES = {
  quantity: { type: 'string' },
  'input-tpm': { type: 'string' },
  'output-tpm': { type: 'string' },
  units: { type: 'string' },
  'yuan-per-minute': { type: 'string' },
  term: { type: 'string' },
  overflow: { type: 'string' },
  renew: { type: 'string' },
} as const

const CHOICES_HELP = `      --quantity N          packages: how many
      --input-tpm N         throughput: input tokens per minute
      --output-tpm N        throughput: output tokens per minute
      --units N             provisioned units
      --yuan-per-minute Y   reserved spend
      --term N              for how many days, months, hours or minutes, as the offer counts them
      --overflow WHAT       next or reject: what becomes of requests that do not fit
      --renew yes|no        whether it renews itself`

export const offers: Command = {
  name: 'offers',
  usage: '[list] [--tenant ID] | put -f FILE',
  summary: 'what can be bought; declare one offer from a JSON file',
  help: `  tokenfactory offers --tenant acme
  tokenfactory offers put -f offer.json

A file of several offers is a factory.yaml: see tokenfactory apply --help. What an offer says never changes once it is launched.

Options:
      --tenant ID           what this tenant may buy
  -f, --file FILE           one offer as JSON; - reads standard input`,
  options: { tenant: { type: 'string' }, file: { type: 'string', short: 'f' } },
  arity: [0, 1],
  async run({ client, positionals, option, readInput }) {
    const [action = 'list'] = positionals
    if (action === 'put') {
      const file = required(option('file'), 'which file? -f FILE')
      const view = await client.post('/offers', OfferView, parseOffer(await readInput(file), file))
      return { json: view, text: `${view.id} is ${view.state}` }
    }
    if (action !== 'list') throw new CliError(EXIT.usage, 'offers list or offers put -f FILE')
    const rows = await client.get('/offers', z.array(OfferView), { tenant: option('tenant') })
    const text = renderTable<OfferView>(
      [
        { title: 'ID', value: (row) => row.id },
        { title: 'NAME', value: (row) => row.name },
        { title: 'KIND', value: (row) => row.kind },
        { title: 'STATE', value: (row) => row.state },
        { title: 'PRICE', value: (row) => priceText(row.offer) },
      ],
      rows,
    )
    return { json: rows, text: rows.length === 0 ? 'nothing is offered' : text }
  },
}

export const quote: Command = {
  name: 'quote',
  usage: 'OFFER --tenant ID [what is wanted]',
  summary: 'the exact price of an offer now, and what it brings; holds for 15 minutes',
  help: `  tokenfactory quote qwen-max-tpm --tenant acme --input-tpm 200000 --output-tpm 100000 --term 1

Options:
      --tenant ID           for whom
${CHOICES_HELP}`,
  options: { tenant: { type: 'string' }, ...CHOICES },
  arity: [1, 1],
  async run(invocation) {
    const { client, positionals, option } = invocation
    const made = await client.post('/quotes', QuoteView, {
      tenant: required(option('tenant'), 'for whom? --tenant ID'),
      offer: positionals[0],
      configuration: configurationOf(invocation),
    })
    const lines = [
      `${made.id} costs ¥${yuan(made.grossPico)} (¥${yuan(made.taxPico)} of it is tax at ${made.taxPercent} %) until ${time(made.expiresAtMs)}`,
      `It lasts from ${time(made.fromMs)} ${made.toMs === null ? 'until it is ended' : `to ${time(made.toMs)}`} and brings:`,
      ...made.entitlements.map((one) => `  ${entitlementText(one)}`),
    ]
    return { json: made, text: lines.map(printable).join('\n') }
  },
}

export const order: Command = {
  name: 'order',
  usage: 'QUOTE | OFFER --tenant ID --key TEXT [what is wanted] | list | show|approve|reject|cancel ORDER',
  summary: 'buy from a quote or directly; see and decide orders',
  help: `The key is your own name for the order: sent again, the same order comes back and nothing is bought twice. An order that fails ends
with 1, and nothing of it has happened.

  tokenfactory order quo_01k… --tenant acme --key purchase-4711
  tokenfactory order family-10m --tenant acme --key purchase-4712
  tokenfactory order approve ord_01k… --reason 'credit checked'

Options:
      --tenant ID           for whom; of list: whose
      --key TEXT            your own name for the order
      --reason TEXT         why it is approved, rejected or cancelled; kept with your name
      --limit N             of list: how many; 50 by default
${CHOICES_HELP}`,
  options: {
    tenant: { type: 'string' },
    key: { type: 'string' },
    reason: { type: 'string' },
    limit: { type: 'string' },
    ...CHOICES,
  },
  arity: [1, 2],
  async run(invocation) {
    const { client, positionals, option } = invocation
    const [what = '', id] = positionals
    if (what === 'list' && id === undefined) return listOrders(invocation)
    if (id !== undefined) {
      const path = `/orders/${encodeURIComponent(id)}`
      if (what === 'show') return orderOutcome(await client.get(path, OrderView))
      if (what !== 'approve' && what !== 'reject' && what !== 'cancel')
        throw new CliError(EXIT.usage, 'order show, approve, reject or cancel ORDER')
      const reason = required(option('reason'), 'why? --reason TEXT')
      return orderOutcome(await client.post(`${path}/${what}`, OrderView, { reason }))
    }
    const asked = what.startsWith('quo_')
      ? { quote: what }
      : { offer: what, configuration: configurationOf(invocation) }
    const made = await client.post('/orders', OrderView, {
      tenant: required(option('tenant'), 'for whom? --tenant ID'),
      idempotencyKey: required(option('key'), 'under which key? --key TEXT'),
      ...asked,
    })
    return orderOutcome(made)
  },
}

export const subscriptions: Command = {
  name: 'subscriptions',
  usage:
    '[list] [--tenant ID] | show ID | renew ID yes|no | change ID --offer OFFER --key TEXT | share|unshare ID TENANT | invitations | accept|leave ID [TENANT]',
  summary: 'what was bought: see it, renew, change or share it',
  help: `What costs more begins at once and is charged in proportion; what costs less begins with the next term. Who shares pays with the owner's
wallet and tokens: a tenant invites and the other one accepts; an operator's word holds at once.

Options:
      --tenant ID           of this tenant only
      --limit N             how many; 50 by default
      --offer ID            what it becomes
      --key TEXT            your own name for the change
${CHOICES_HELP}`,
  options: {
    tenant: { type: 'string' },
    limit: { type: 'string' },
    offer: { type: 'string' },
    key: { type: 'string' },
    ...CHOICES,
  },
  arity: [0, 3],
  async run(invocation) {
    const { client, positionals, option } = invocation
    const [action = 'list', id = '', value = ''] = positionals
    if (action === 'list') {
      const query = { tenant: option('tenant'), limit: option('limit') }
      return listed(await client.get('/subscriptions', z.array(SubscriptionView), query))
    }
    if (action === 'invitations')
      return invitationList(await client.get('/invitations', z.array(InvitationView), { tenant: option('tenant') }))
    const path = `/subscriptions/${encodeURIComponent(required(id, 'which one? subscriptions show ID'))}`
    switch (action) {
      case 'show':
        return listed([await client.get(path, SubscriptionView)])
      case 'renew': {
        if (value !== 'yes' && value !== 'no') throw new CliError(EXIT.usage, 'subscriptions renew ID yes|no')
        return listed([await client.post(`${path}/renewal`, SubscriptionView, { autoRenew: value === 'yes' })])
      }
      case 'change': {
        const configuration = configurationOf(invocation)
        const offer = option('offer')
        const made = await client.post(`${path}/change`, OrderView, {
          idempotencyKey: required(option('key'), 'under which key? --key TEXT'),
          ...(offer === undefined ? {} : { offer }),
          ...(Object.keys(configuration).length === 0 ? {} : { configuration }),
        })
        return orderOutcome(made)
      }
      case 'share':
      case 'unshare': {
        const tenant = required(value, `with whom? subscriptions ${action} ID TENANT`)
        const target = action === 'share' ? `${path}/members` : `${path}/members/remove`
        return listed([await client.post(target, SubscriptionView, { tenant })])
      }
      case 'accept':
      case 'leave':
        return invitationList(
          await client.post(
            `${path}/members/${action}`,
            z.array(InvitationView),
            value === undefined ? {} : { tenant: value },
          ),
        )
      default:
        throw new CliError(
          EXIT.usage,
          'subscriptions list, show, renew, change, share, unshare, invitations, accept or leave',
        )
    }
  },
}

export const cancel: Command = {
  name: 'cancel',
  usage: 'SUBSCRIPTION --key TEXT --reason TEXT [--when now|end]',
  summary: 'end a subscription at once, with what the offer refunds, or let it run out',
  help: `Options:
      --when now|end        at once (default), or when what was paid is over
      --key TEXT            your own name for it
      --reason TEXT         why; kept with your name`,
  options: { when: { type: 'string' }, key: { type: 'string' }, reason: { type: 'string' } },
  arity: [1, 1],
  async run({ client, positionals, option }) {
    const when = option('when') ?? 'now'
    if (when !== 'now' && when !== 'end') throw new CliError(EXIT.usage, '--when is now or end')
    const made = await client.post(`/subscriptions/${encodeURIComponent(positionals[0] ?? '')}/cancel`, OrderView, {
      idempotencyKey: required(option('key'), 'under which key? --key TEXT'),
      reason: required(option('reason'), 'why? --reason TEXT'),
      when,
    })
    return orderOutcome(made)
  },
}

function orderOutcome(view: OrderView): Outcome {
  const isBad = view.state === 'failed' || view.state === 'rejected'
  const parts = [
    `${view.id} is ${view.state}`,
    ...(view.subscription === null ? [] : [`subscription ${view.subscription}`]),
    ...(view.grossPico === '0' ? [] : [`¥${yuan(view.grossPico)} paid`]),
    ...(view.refundPico === '0' ? [] : [`¥${yuan(view.refundPico)} refunded`]),
    ...(view.failure ? [view.failure.detail] : []),
  ]
  return { json: view, text: printable(parts.join(': ')), code: isBad ? EXIT.failure : EXIT.ok }
}

async function listOrders({ client, option }: Invocation): Promise<Outcome> {
  const rows = await client.get('/orders', z.array(OrderView), { tenant: option('tenant'), limit: option('limit') })
  const text = renderTable<OrderView>(
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'MADE', value: (row) => time(row.createdAtMs) },
      { title: 'TENANT', value: (row) => row.tenant },
      { title: 'FOR', value: (row) => row.cause },
      { title: 'OFFER', value: (row) => row.offer },
      { title: 'STATE', value: (row) => row.state },
      { title: 'PAID ¥', value: (row) => yuan(row.grossPico), align: 'right' },
      { title: 'REFUNDED ¥', value: (row) => yuan(row.refundPico), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'nothing was ordered' : text }
}

function listed(rows: readonly SubscriptionView[]): Outcome {
  const text = renderTable<SubscriptionView>(
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'TENANT', value: (row) => row.tenant },
      { title: 'OFFER', value: (row) => row.offer },
      { title: 'STATE', value: (row) => row.state },
      { title: 'FROM', value: (row) => time(row.startsAtMs) },
      { title: 'TO', value: (row) => (row.endsAtMs === null ? '-' : time(row.endsAtMs)) },
      { title: 'RENEWS', value: (row) => (row.autoRenew ? 'yes' : 'no') },
      { title: 'BRINGS', value: (row) => row.entitlements.map(entitlementText).join('; ') || '-' },
      {
        title: 'SHARED WITH',
        value: (row) => [...row.members, ...row.invited.map((tenant) => `${tenant} (invited)`)].join(', ') || '-',
      },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'nothing was bought' : text }
}

function invitationList(rows: readonly InvitationView[]): Outcome {
  const text = renderTable<InvitationView>(
    [
      { title: 'SUBSCRIPTION', value: (row) => row.subscription },
      { title: 'OWNER', value: (row) => row.owner },
      { title: 'OFFER', value: (row) => row.offer },
      { title: 'INVITED', value: (row) => row.tenant },
      { title: 'SINCE', value: (row) => time(row.invitedAtMs) },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'no invitation is open' : text }
}

function entitlementText(one: Entitlement): string {
  switch (one.kind) {
    case 'lot':
      return `${amount(one.amount, one.unit)}${one.source === 'gift' ? ' as a gift' : ''}`
    case 'credit':
      return `¥${yuan(one.limitPico)} of credit`
    default: {
      const rates = one.dimensions.map(({ unit, amountPerMinute }) => `${amount(amountPerMinute, unit)}/min`)
      return `${rates.join(' and ')} of ${one.services.join(', ')}`
    }
  }
}

function priceText(offer: OfferView['offer']): string {
  switch (offer.kind) {
    case 'package':
    case 'plan':
      return `¥${offer.priceYuan}`
    case 'throughput-tpm':
      return (
        [offer.input, offer.output].flatMap((side) => (side ? [`¥${side.priceYuan}`] : [])).join(' + ') +
        ` per unit and ${offer.term.per}`
      )
    case 'provisioned':
      return `¥${offer.hourPriceYuan} per unit and hour`
    case 'spend-per-minute':
      return `${offer.pricePercent} % of what is reserved`
    default:
      return `credit ¥${offer.creditLimitYuan}`
  }
}

function configurationOf({ option }: Invocation): Configuration {
  const number = (name: string): number | undefined => {
    const text = option(name)
    if (text === undefined) return undefined
    if (!/^[1-9]\d{0,12}$/.test(text)) throw new CliError(EXIT.usage, `--${name} is a whole number of at least 1`)
    return Number(text)
  }
  const overflow = option('overflow')
  if (overflow !== undefined && overflow !== 'next' && overflow !== 'reject')
    throw new CliError(EXIT.usage, '--overflow is next or reject')
  const renew = option('renew')
  if (renew !== undefined && renew !== 'yes' && renew !== 'no') throw new CliError(EXIT.usage, '--renew is yes or no')
  const given = {
    quantity: number('quantity'),
    inputTpm: number('input-tpm'),
    outputTpm: number('output-tpm'),
    units: number('units'),
    yuanPerMinute: option('yuan-per-minute'),
    term: number('term'),
    overflow,
    autoRenew: renew === undefined ? undefined : renew === 'yes',
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** Checked here as well, so that a mistake is told before anything is sent. */
function parseOffer(text: string, file: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new CliError(EXIT.mistakes, `${file} is not JSON`)
  }
  const parsed = FactoryOffer.safeParse(value)
  if (parsed.success) return value
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new CliError(EXIT.mistakes, `${file} has mistakes:\n${issues.join('\n')}`)
}
