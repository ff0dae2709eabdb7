import * as z from 'zod'
import { BalanceView, KeyView, NewKey } from '#contract'
import type { Limits } from '#contract'
import type { Command, Invocation } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { yuan } from './format.ts'
import { required } from './options.ts'

const NewAccount = z.object({ email: z.string(), password: z.string() })

export const key: Command = {
  name: 'key',
  usage: 'create --tenant ID [--name TEXT] | revoke KEY',
  summary: 'make a key, which is shown once, or revoke one for ever',
  help: `  tokenfactory key create --tenant acme --name ci --rpm 600 --expires 2027-01-01T00:00:00Z
  tokenfactory key revoke demo

Options of create:
      --tenant ID        whose key
      --name TEXT        what people call it; "unnamed" by default
      --expires TIME     an ISO time with its offset
      --rpm N            requests per minute
      --tpm N            tokens per minute
      --concurrency N    requests at once`,
  options: {
    tenant: { type: 'string' },
    name: { type: 'string' },
    expires: { type: 'string' },
    rpm: { type: 'string' },
    tpm: { type: 'string' },
    concurrency: { type: 'string' },
  },
  arity: [1, 2],
  async run(invocation) {
    const { client, positionals, option } = invocation
    const [action, id] = positionals
    if (action === 'revoke') {
      const revoked = await client.post(
        `/keys/${encodeURIComponent(required(id, 'which key? tokenfactory key revoke KEY'))}/revoke`,
        KeyView,
      )
      return { json: revoked, text: `${revoked.id} is revoked` }
    }
    if (action !== 'create' || id !== undefined) throw new CliError(EXIT.usage, 'key create or key revoke KEY')
    const made = await client.post('/keys', NewKey, {
      tenant: required(option('tenant'), 'which tenant? --tenant ID'),
      name: option('name') ?? 'unnamed',
      expiresAtMs: expiry(option('expires')),
      limits: limits(invocation),
    })
    return { json: made, text: `${made.id} of ${made.tenant}, shown now and never again:\n${made.secret}` }
  },
}

export const topup: Command = {
  name: 'topup',
  usage: '--tenant ID --amount YUAN --reference TEXT',
  summary: "book a payment into a tenant's wallet, once per reference",
  help: `Repeating a reference with the same tenant and amount books nothing, so a script may safely try again.

Options:
      --tenant ID        whose wallet
      --amount YUAN      such as 100 or 0.5
      --reference TEXT   the payment's id`,
  options: { tenant: { type: 'string' }, amount: { type: 'string' }, reference: { type: 'string' } },
  arity: [0, 0],
  async run({ client, option }) {
    const balance = await client.post('/topups', BalanceView, {
      tenant: required(option('tenant'), 'which tenant? --tenant ID'),
      amountYuan: required(option('amount'), 'how much? --amount YUAN'),
      reference: required(option('reference'), 'which payment? --reference TEXT'),
    })
    return {
      json: balance,
      text: `${balance.tenant} has ¥${yuan(balance.postedPico)}, of which ¥${yuan(balance.availablePico)} are available`,
    }
  },
}

export const user: Command = {
  name: 'user',
  usage: 'create --email ADDRESS [--tenant ID | --supplier ID]',
  summary: 'make an account for the console, with a password that is shown once',
  help: `Without --tenant and --supplier the account is an operator's and sees everything.

Options:
      --email ADDRESS    what the person signs in with
      --tenant ID        the one tenant that the person may see
      --supplier ID      the one supplier whose agreements and orders the person may see`,
  options: { email: { type: 'string' }, tenant: { type: 'string' }, supplier: { type: 'string' } },
  arity: [1, 1],
  async run({ client, positionals, option }) {
    if (positionals[0] !== 'create') throw new CliError(EXIT.usage, 'user create --email ADDRESS')
    const made = await client.post('/users', NewAccount, {
      email: required(option('email'), 'which address? --email ADDRESS'),
      tenant: option('tenant') ?? null,
      ...(option('supplier') === undefined ? {} : { supplier: option('supplier') }),
    })
    return {
      json: made,
      text: `${made.email} signs in with this password, shown now and never again:\n${made.password}`,
    }
  },
}

function expiry(text: string | undefined): number | null {
  if (text === undefined) return null
  const ms = /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new CliError(EXIT.usage, '--expires is a time with its offset such as 2027-01-01T00:00:00Z')
  return ms
}

function limits({ option }: Invocation): Limits {
  const number = (name: string): number | undefined => {
    const text = option(name)
    if (text === undefined) return undefined
    if (!/^[1-9]\d{0,11}$/.test(text)) throw new CliError(EXIT.usage, `--${name} is a whole number of at least 1`)
    return Number(text)
  }
  const [requestsPerMinute, tokensPerMinute, maxConcurrency] = [number('rpm'), number('tpm'), number('concurrency')]
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
  }
}
