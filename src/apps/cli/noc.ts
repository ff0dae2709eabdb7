import { DrainPreview, DrainView, NocReply } from '#contract'
import type { LaneView, SupplierLoadView } from '#contract'
import type { Command } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { time } from './format.ts'
import { reasonOf } from './options.ts'
import { printable, renderTable } from './table.ts'

export const noc: Command = {
  name: 'noc',
  usage: '',
  summary: 'what goes on now: demand, queues, service levels and burn rate per class, load and breakers per supplier',
  help: `Rates are per minute over the last five. BURN is the share of misses over the share that the target allows, for five minutes and an
hour: at 1 the error budget lasts exactly. Gateways that have not reported for ten seconds are left out and named.

  tokenfactory noc -o json`,
  options: {},
  arity: [0, 0],
  async run({ client }) {
    const reply = await client.get('/noc', NocReply)
    return { json: reply, text: render(reply) }
  },
}

export const supplier: Command = {
  name: 'supplier',
  usage: 'drain ID --reason TEXT [--dry-run] [--accept-orphans] | undrain ID --reason TEXT',
  summary: 'take a supplier out of service and back: what runs there ends, nothing new begins',
  help: `drain tells where the traffic of the last five minutes goes; --dry-run only tells. Services that nobody else serves stop it unless
--accept-orphans says that they may be lost. Gateways follow within a second.

  tokenfactory supplier drain volcano --dry-run
  tokenfactory supplier drain volcano --reason 'maintenance until 14:00, ticket 90'
  tokenfactory supplier undrain volcano --reason 'back, checked'

Options:
      --reason TEXT      why; kept with your name
      --dry-run          tell where the traffic would go, change nothing
      --accept-orphans   also if some services are then served by nobody`,
  options: { reason: { type: 'string' }, 'dry-run': { type: 'boolean' }, 'accept-orphans': { type: 'boolean' } },
  arity: [2, 2],
  async run(invocation) {
    const { client, positionals, flag } = invocation
    const [action, id = ''] = positionals
    const path = `/suppliers/${encodeURIComponent(id)}`
    if (action === 'undrain') {
      const view = await client.post(`${path}/undrain`, DrainView, { reason: reasonOf(invocation) })
      return { json: view, text: `${id} is in service again, as far as gateways have heard of it` }
    }
    if (action !== 'drain') throw new CliError(EXIT.usage, 'one of drain, undrain')
    const preview = await client.get(`${path}/drain`, DrainPreview)
    if (flag('dry-run')) return { json: preview, text: renderPreview(preview) }
    const view = await client.post(`${path}/drain`, DrainView, {
      reason: reasonOf(invocation),
      ...(flag('accept-orphans') ? { acceptOrphans: true } : {}),
    })
    return { json: { ...view, preview }, text: `${id} takes nothing new any more\n${renderPreview(preview)}` }
  },
}

function render({ atMs, gateways, lanes, suppliers }: NocReply): string {
  const stale = gateways.filter(({ isStale }) => isStale).map(({ gateway }) => gateway)
  return [
    `At ${time(atMs)}, reported by ${gateways.length - stale.length} gateway workers${stale.length > 0 ? `; nothing heard of ${stale.join(', ')}` : ''}`,
    '',
    lanes.length === 0 ? 'Nobody asks for anything' : renderTable(LANES, lanes),
    '',
    renderTable(SUPPLIERS, suppliers),
  ].join('\n')
}

const LANES: Parameters<typeof renderTable<LaneView>>[0] = [
  { title: 'SERVICE', value: (row) => row.service },
  { title: 'CLASS', value: (row) => row.tier },
  { title: 'DEMAND/MIN', value: (row) => rate(row.demandPerMinute), align: 'right' },
  { title: 'SHED/MIN', value: (row) => rate(row.shedPerMinute), align: 'right' },
  { title: 'OUT TOK/MIN', value: (row) => rate(row.outputTokensPerMinute), align: 'right' },
  { title: 'RUNNING', value: (row) => row.running, align: 'right' },
  { title: 'WAITING', value: (row) => row.waiting, align: 'right' },
  { title: 'TARGET', value: (row) => percent(row.targetPpm), align: 'right' },
  { title: '5 MIN', value: (row) => percent(row.attainmentPpm.fiveMinutes), align: 'right' },
  { title: 'HOUR', value: (row) => percent(row.attainmentPpm.hour), align: 'right' },
  { title: 'BURN', value: (row) => `${burn(row.burnRate.fiveMinutes)}/${burn(row.burnRate.hour)}`, align: 'right' },
]

const SUPPLIERS: Parameters<typeof renderTable<SupplierLoadView>>[0] = [
  { title: 'SUPPLIER', value: (row) => row.supplier },
  { title: 'STATE', value: stateOf },
  { title: 'IN FLIGHT', value: (row) => `${row.inFlight}/${row.maxConcurrency}`, align: 'right' },
  { title: 'LIMIT', value: (row) => limitOf(row), align: 'right' },
  { title: 'REQ/MIN', value: (row) => rate(row.requestsPerMinute), align: 'right' },
  { title: 'OUT TOK/MIN', value: (row) => rate(row.outputTokensPerMinute), align: 'right' },
  { title: 'SHARE', value: (row) => percent(row.sharePpm), align: 'right' },
  { title: '5 MIN', value: (row) => percent(row.attainmentPpm.fiveMinutes), align: 'right' },
]

function stateOf({ drain, hasCredentials, endpoints }: SupplierLoadView): string {
  if (drain) return `drained by ${drain.drainedBy}`
  if (!hasCredentials) return 'no credentials'
  const bad = endpoints.filter(({ breaker, isMisconfigured }) => breaker !== 'closed' || isMisconfigured)
  return bad.length === 0 ? 'in service' : bad.map(({ model, breaker }) => `${model} ${breaker}`).join(', ')
}

/** What its models may take together, as far as it was learned. */
function limitOf({ endpoints }: SupplierLoadView): string {
  const limits = endpoints.flatMap(({ limit }) => limit ?? [])
  return limits.length === 0 ? '-' : String(Math.round(Math.max(...limits)))
}

function renderPreview({ isKnown, moves, loads, orphaned, costPerMinutePico }: DrainPreview): string {
  if (!isKnown) return 'no gateway reports, so nothing is known of its traffic'
  const lines = moves.map(({ service, tier, requestsPerMinute, to, lostPerMinute }) => {
    const parts = to.map((one) => `${rate(one.requestsPerMinute)} to ${one.supplier} (${printable(one.model)})`)
    const lost = lostPerMinute > 0 ? [`${rate(lostPerMinute)} to nobody`] : []
    return `  ${service} ${tier}, ${rate(requestsPerMinute)}/min: ${[...parts, ...lost].join(', ')}`
  })
  const { before, after } = costPerMinutePico
  return [
    lines.length === 0 ? 'It served nothing in the last five minutes' : 'Its traffic of the last five minutes goes:',
    ...lines,
    ...loads.map(
      (load) => `  ${load.supplier}: ${rate(load.before)} → ${rate(load.after)} of ${load.maxConcurrency} at once`,
    ),
    ...(before > 0 ? [`  buying what moves costs about ${signed((after / before - 1) * 100)} %`] : []),
    ...(orphaned.length > 0 ? [`Nobody else serves ${orphaned.join(', ')}`] : []),
  ].join('\n')
}

function rate(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 })
}

function signed(value: number): string {
  return `${value >= 0 ? '+' : ''}${value.toFixed(1)}`
}

function percent(ppm: number | null): string {
  return ppm === null ? '-' : `${(ppm / 10_000).toFixed(2)} %`
}

function burn(value: number | null): string {
  return value === null ? '-' : value.toFixed(1)
}
