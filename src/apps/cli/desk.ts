import * as z from 'zod'
import { QuarantineView, SliceView } from '#contract'
import { formatPricePerMillion } from '#kernel'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, time, yuan } from './format.ts'
import { reasonOf } from './options.ts'
import { printable, renderTable } from './table.ts'

const LIMIT_OPTION = '      --limit N          at most so many; 50 by default'

export const quarantine: Command = {
  name: 'quarantine',
  usage: 'list [--limit N] | retry ID | dismiss ID --reason TEXT',
  summary: 'usage records that were not booked: see them, deliver one again, or end one unposted',
  help: `An ID is what list shows, or any longer beginning of it. retry delivers the record the way its gateway would: it is posted once,
and ends with 1 if it still breaks an invariant. A dismissed record is never posted, also when it is delivered again.

  tokenfactory quarantine retry 3f0a9c11d2e4
  tokenfactory quarantine dismiss 3f0a9c11d2e4 --reason 'credited by hand, ticket 812'

Options:
${LIMIT_OPTION}
      --reason TEXT      why it is dismissed; kept with your name`,
  options: { limit: { type: 'string' }, reason: { type: 'string' } },
  arity: [1, 2],
  async run(invocation) {
    const { client, option } = invocation
    const [action, id] = actionOf(invocation, ['list', 'retry', 'dismiss'])
    if (action === 'list') {
      const rows = await client.get('/quarantine', z.array(QuarantineView), { limit: option('limit') })
      return listed(rows, 'nothing is in quarantine', [
        { title: 'ID', value: (row) => row.id.slice(0, 12) },
        { title: 'RECEIVED', value: (row) => time(row.receivedAtMs) },
        { title: 'GATEWAY', value: (row) => row.gateway },
        { title: 'REASON', value: (row) => row.reason },
        { title: 'RECORD', value: (row) => row.record },
      ])
    }
    const path = `/quarantine/${encodeURIComponent(id)}/${action}`
    if (action === 'dismiss') {
      const row = await client.post(path, QuarantineView, { reason: reasonOf(invocation) })
      return { json: row, text: `${printable(row.record)} is dismissed` }
    }
    const row = await client.post(path, QuarantineView)
    return row.state === 'accepted'
      ? { json: row, text: `${printable(row.record)} is posted` }
      : {
          json: row,
          text: `${printable(row.record)} stays in quarantine: ${printable(row.reason)}`,
          code: EXIT.failure,
        }
  },
}

export const slices: Command = {
  name: 'slices',
  usage: 'list [--limit N] | release ID --reason TEXT',
  summary: 'what gateways hold of wallets, and giving back what nobody will give back any more',
  help: `A slice goes back by itself when its gateway has delivered all its records. Release one only when its journal is gone for good
(PRESENT no): charged records that still turn up then go into quarantine. It can be released an hour after it expired, no earlier.

  tokenfactory slices release slc_gw-0_7_12 --reason 'disk of gw-0 lost on 12 November'

Options:
${LIMIT_OPTION}
      --reason TEXT      why it is released; kept with your name`,
  options: { limit: { type: 'string' }, reason: { type: 'string' } },
  arity: [1, 2],
  async run(invocation) {
    const { client, option, nowMs } = invocation
    const [action, id] = actionOf(invocation, ['list', 'release'])
    if (action === 'list') {
      const rows = await client.get('/slices', z.array(SliceView), { limit: option('limit') })
      return listed(rows, 'no slice is open', [
        { title: 'ID', value: (row) => row.id },
        { title: 'BUCKET', value: (row) => row.bucket },
        { title: 'JOURNAL', value: (row) => row.journal?.slice(0, 12) ?? '-' },
        { title: 'PRESENT', value: (row) => (row.isOfPresentJournal ? 'yes' : 'no') },
        { title: 'AGE', value: (row) => ageOf(nowMs() - row.grantedAtMs), align: 'right' },
        { title: 'RELEASABLE', value: (row) => (nowMs() < row.releasableAtMs ? time(row.releasableAtMs) : 'now') },
        { title: 'SETTLED', value: (row) => amountOf(row, row.settled), align: 'right' },
        { title: 'GRANTED', value: (row) => amountOf(row, row.amount), align: 'right' },
      ])
    }
    const row = await client.post(`/slices/${encodeURIComponent(id)}/release`, SliceView, {
      reason: reasonOf(invocation),
    })
    const rest = amountOf(row, `${BigInt(row.amount) - BigInt(row.settled)}`)
    return { json: row, text: `${row.id} is released: ${rest} are back in ${row.bucket}` }
  },
}

/** Money in yuan, units of a conversion table (kept in millionths) with its name. */
function amountOf({ unit }: SliceView, amount: string): string {
  return unit === 'CNY' ? `¥${yuan(amount)}` : `${formatPricePerMillion(BigInt(amount))} ${unit}`
}

/** What shall be done, and to which: the id is empty for `list` only. */
function actionOf({ positionals }: Invocation, actions: readonly string[]): readonly [action: string, id: string] {
  const [action, id] = positionals
  if (action === undefined || !actions.includes(action)) throw new CliError(EXIT.usage, `one of ${actions.join(', ')}`)
  if ((action === 'list') !== (id === undefined))
    throw new CliError(EXIT.usage, action === 'list' ? 'list takes no ID' : `which one? ${action} ID`)
  return [action, id ?? '']
}

function listed<Row>(rows: readonly Row[], none: string, columns: Parameters<typeof renderTable<Row>>[0]): Outcome {
  return { json: rows, text: rows.length === 0 ? none : renderTable(columns, rows) }
}

function ageOf(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  return minutes < 120 ? `${count(minutes)} min` : `${count(Math.floor(minutes / 60))} h`
}
