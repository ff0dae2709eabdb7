import { ExplainReply } from '#contract'
import type { Candidate, Draw, UsageRecord } from '#contract'
import { TOKEN_CLASSES, formatUnits } from '#kernel'
import type { Command } from './command.ts'
import { count, milliseconds, time, yuan } from './format.ts'
import { printable, renderTable } from './table.ts'

export const explain: Command = {
  name: 'explain',
  usage: 'REQUEST-ID',
  summary: 'everything known about one request: who was considered, who served, why, and what it cost',
  help: 'The request id is in the x-request-id header of every answer of the gateway.',
  options: {},
  arity: [1, 1],
  async run({ client, positionals }) {
    const [id = ''] = positionals
    const reply = await client.get(`/requests/${encodeURIComponent(id)}`, ExplainReply)
    return { json: reply, text: render(reply) }
  },
}

function render({ record, posting, shares, corrections }: ExplainReply): string {
  return [
    facts(record),
    'Considered',
    considered(record),
    'Attempts',
    renderTable(
      [
        { title: '  SUPPLIER', value: ({ supplier }) => `  ${supplier}` },
        { title: 'MODEL', value: ({ model }) => model },
        { title: 'WHY', value: ({ role }) => role ?? 'first choice' },
        { title: 'OUTCOME', value: ({ outcome }) => outcome },
        { title: 'STATUS', value: ({ status }) => status ?? '-', align: 'right' },
        { title: 'FROM', value: ({ startMs }) => milliseconds(startMs), align: 'right' },
        { title: 'FIRST TOKEN', value: ({ firstTokenMs }) => milliseconds(firstTokenMs ?? null), align: 'right' },
        { title: 'TO', value: ({ endMs }) => milliseconds(endMs), align: 'right' },
        {
          title: 'COST BESIDE ¥',
          value: ({ buyPico }) => (buyPico === undefined ? '-' : yuan(buyPico)),
          align: 'right',
        },
      ],
      record.attempts,
    ),
    `Tokens (charged by: ${record.basis}${record.note === null ? '' : `; ${printable(record.note)}`})`,
    renderTable(
      [
        { title: '  CLASS', value: (name) => `  ${name}` },
        {
          title: 'REPORTED',
          value: (name) => (record.reported === null ? '-' : count(record.reported[name])),
          align: 'right',
        },
        { title: 'CHARGED', value: (name) => count(record.tokens[name]), align: 'right' },
      ],
      TOKEN_CLASSES,
    ),
    `  our own count: ${recount(record)}`,
    'Price',
    `  held ¥${yuan(record.holdPico)}, sold ¥${yuan(record.sellPico)} (tax ¥${yuan(record.taxPico)}) by ${record.sellSheet || '-'}`,
    `  bought ¥${yuan(record.buyPico)} by ${record.buySheet || '-'}`,
    ...draws(record),
    posting === null
      ? 'Posting: none yet'
      : `Posting ${posting.id}, booked ${time(posting.bookedAtMs)}\n  hash ${posting.hash}`,
    renderTable(
      [
        { title: '  ACCOUNT', value: ({ account }) => `  ${account}` },
        { title: 'THIS REQUEST', value: ({ account, amountPico }) => inBooks(account, amountPico), align: 'right' },
      ],
      shares,
    ),
    ...corrections.map(
      ({ version, kind, sellPico, taxPico, sellSheet, reason, madeAtMs }) =>
        `Correction ${version}, ${time(madeAtMs)}: ${kind === 'refund' ? 'given back' : `rated by ${sellSheet}`}, ` +
        `costs ¥${yuan(sellPico)} (tax ¥${yuan(taxPico)}) from then on; ${printable(reason)}`,
    ),
  ].join('\n')
}

/** The terms are estimates in millionths of a yuan; the least total is the best. */
function considered({ candidates }: UsageRecord): string {
  const columns: Parameters<typeof renderTable<Candidate>>[0] = [
    { title: '  SUPPLIER', value: ({ supplier }) => `  ${supplier}` },
    { title: 'MODEL', value: ({ model }) => model },
    { title: 'VERDICT', value: ({ verdict }) => verdict },
  ]
  if (candidates.every(({ score }) => score === undefined)) return renderTable(columns, candidates)
  const term = (name: keyof NonNullable<Candidate['score']>, title: string) => ({
    title,
    value: ({ score }: Candidate) => (score ? (score[name] / 1e6).toFixed(2) : '-'),
    align: 'right' as const,
  })
  return renderTable(
    [
      ...columns,
      term('price', 'PRICE µ¥'),
      term('commitment', 'CONTRACT'),
      term('network', 'NETWORK'),
      term('affinity', 'AFFINITY'),
      term('miss', 'MISS'),
      {
        title: 'P(MISS)',
        value: ({ score }) => (score ? `${(score.missProbability * 100).toFixed(1)} %` : '-'),
        align: 'right',
      },
      term('total', 'TOTAL'),
    ],
    candidates,
  )
}

function facts(record: UsageRecord): string {
  const lines: readonly (readonly [string, string])[] = [
    ['Request', record.id],
    ['Tenant', `${record.tenant} (key ${record.key})`],
    ['Model', `${record.service}, ${record.stream ? 'streamed' : 'in one piece'}`],
    ['Served by', `${record.supplier} as ${record.model}`],
    ['Ending', `${record.ending}, status ${record.status}, finish reason ${record.finishReason ?? '-'}`],
    [
      'Times',
      `accepted ${time(record.acceptedAtMs)}, first token ${milliseconds(record.ttftMs)}, took ${milliseconds(record.durationMs)}`,
    ],
    ['Gateway', `${record.gateway}, epoch ${record.epoch}, slice ${record.slice ?? '-'}`],
  ]
  return lines.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}`).join('\n')
}

/** What paid or counted beside the wallet; nothing where only the wallet did. */
function draws({ tier, payer, draws: drawn = [] }: UsageRecord): string[] {
  const said = [
    ...(tier === undefined ? [] : [`  served and priced as ${tier}`]),
    ...(payer === undefined ? [] : [`  paid by the wallet of ${payer}`]),
  ]
  if (drawn.length === 0) return said
  return [
    ...said,
    'Drawn beside the wallet',
    renderTable(
      [
        { title: '  BUCKET', value: ({ bucket }) => `  ${bucket}` },
        { title: 'HELD', value: (draw) => inUnits(draw, draw.held), align: 'right' },
        { title: 'USED', value: (draw) => inUnits(draw, draw.amount), align: 'right' },
        { title: 'BY', value: ({ version }) => version ?? 'money' },
      ],
      drawn,
    ),
  ]
}

/** Accounts from 8000 on are in units of the table that they name. */
function inBooks(account: string, amount: string): string {
  if (account < '8000') return `¥${yuan(amount)}`
  return `${formatUnits(BigInt(amount))} ${/[^:/]*$/.exec(account)?.[0] ?? ''}`
}

/** Money in yuan, tokens in units of their table. */
function inUnits({ version }: Draw, amount: string): string {
  return version === null ? `¥${yuan(amount)}` : formatUnits(BigInt(amount))
}

function recount({ counted }: UsageRecord): string {
  if (counted === null) return 'none'
  const of = (value: number | null) => (value === null ? 'not counted' : count(value))
  return `input ${of(counted.input)}, output ${of(counted.output)} (${printable(counted.method)})`
}
