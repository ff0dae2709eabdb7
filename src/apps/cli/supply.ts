import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { AgreementView, CallOffView, PackageView, ProjectView } from '#contract'
import type { Command, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { amount, time, yuan } from './format.ts'
import { reasonOf, required } from './options.ts'
import { printable, renderTable } from './table.ts'

const percent = (ppm: number): string => `${ppm / 10_000} %`

const REASON_HELP = `      --reason TEXT         why; kept with your name`

export const project: Command = {
  name: 'project',
  usage: '[list] | show ID | apply -f FILE',
  summary: 'procurement projects and their packages',
  help: `  tokenfactory project apply -f examples/tender.yaml
  tokenfactory project show ningxia-2026

Applying again changes nothing; a project that was announced keeps its content, its suppliers may get their credit codes.

Options:
  -f, --file FILE           a project's file; - reads standard input`,
  options: { file: { type: 'string', short: 'f' } },
  arity: [0, 2],
  async run({ client, positionals, option, readInput }) {
    const [what = 'list', id] = positionals
    if (what === 'apply') {
      const file = required(option('file'), 'which file? -f FILE')
      const document = await readInput(file)
      const view = await client.post('/supply/projects', ProjectView, { document, fileName: file })
      return projectOutcome(view)
    }
    if (what === 'show') return projectOutcome(await client.get(`/supply/projects/${path(id)}`, ProjectView))
    if (what !== 'list') throw new CliError(EXIT.usage, 'project list, project show ID or project apply -f FILE')
    const rows = await client.get('/supply/projects', z.array(ProjectView))
    const text = renderTable<ProjectView>(
      [
        { title: 'ID', value: (row) => row.id },
        { title: 'NAME', value: (row) => row.name },
        { title: 'STATE', value: (row) => row.state },
        {
          title: 'OPEN',
          value: ({ packages }) => `${packages.filter(({ state }) => state !== 'pending').length}/${packages.length}`,
        },
        { title: 'EX TAX', value: (row) => amount(row.estimate.netPico, 'CNY'), align: 'right' },
        { title: 'INC TAX', value: (row) => amount(row.estimate.grossPico, 'CNY'), align: 'right' },
      ],
      rows,
    )
    return { json: rows, text: rows.length === 0 ? 'no project' : text }
  },
}

const path = (id: string | undefined): string => encodeURIComponent(required(id, 'which one? its id'))

function projectOutcome(view: ProjectView): Outcome {
  const table = renderTable<ProjectView['packages'][number]>(
    [
      { title: 'PACKAGE', value: (row) => row.id },
      { title: 'STATE', value: (row) => row.state },
      { title: 'CEILING EX TAX', value: (row) => amount(row.ceiling.netPico, 'CNY'), align: 'right' },
      { title: 'CALLED OFF', value: (row) => amount(row.calledPico, 'CNY'), align: 'right' },
      {
        title: 'SHARES',
        value: (row) => row.shares.map(({ supplier, ppm }) => `${supplier} ${percent(ppm)}`).join(', ') || '–',
      },
    ],
    view.packages,
  )
  const head = `${view.name} (${view.id}) of ${view.buyer} is ${view.state}: ¥${yuan(view.estimate.netPico)} without tax, ¥${yuan(view.estimate.grossPico)} with ${view.estimate.taxPercent} %`
  return { json: view, text: `${printable(head)}\n${table}` }
}

/** `ningxia-2026/p1`: the parts stand in the path one by one. */
function packagePath(id: string | undefined): string {
  const parts = required(id, 'which package? PROJECT/pN').split('/')
  if (parts.length !== 2) throw new CliError(EXIT.usage, 'a package is named PROJECT/pN')
  return `/supply/projects/${parts.map(encodeURIComponent).join('/packages/')}`
}

export const pack: Command = {
  name: 'package',
  usage: 'show|open|bid|evaluate|publish|object|decide|award PACKAGE',
  summary: 'a package of a project: bids, evaluation, shares, award',
  help: `  tokenfactory package bid ningxia-2026/p1 --supplier lexun --price-yuan 1400000000 --document bid.pdf
  tokenfactory package evaluate ningxia-2026/p1 -f scores.json --reason 'scored by the committee'
  tokenfactory package publish ningxia-2026/p1 --shares lexun=60,teamsun=40 --reason ranked
  tokenfactory package award ningxia-2026/p1 --reason 'no objections'        by another person than who published

Options:
      --supplier ID         of bid: whose
      --price-yuan AMOUNT   of bid: without tax
      --document FILE       of bid: what was handed in; its SHA-256 is kept
  -f, --file FILE           of evaluate: {"lexun": {"price": 30000, "quality": 60000}, …} in thousandths of a point
      --shares A=60,B=40    of publish: percent by supplier, 100 together
      --text TEXT           of object: the objection
      --by NAME             of object: who objects
      --number N            of decide: which objection
      --uphold              of decide: uphold it instead of rejecting it
${REASON_HELP}`,
  options: {
    supplier: { type: 'string' },
    'price-yuan': { type: 'string' },
    document: { type: 'string' },
    file: { type: 'string', short: 'f' },
    shares: { type: 'string' },
    text: { type: 'string' },
    by: { type: 'string' },
    number: { type: 'string' },
    uphold: { type: 'boolean' },
    reason: { type: 'string' },
  },
  arity: [2, 2],
  async run(invocation) {
    const { client, positionals, option, flag, readInput } = invocation
    const [what = '', id] = positionals
    const at = packagePath(id)
    const post = (tail: string, body: unknown) => client.post(`${at}/${tail}`, PackageView, body)
    switch (what) {
      case 'show':
        return packageOutcome(await client.get(at, PackageView))
      case 'open':
      case 'award':
        return packageOutcome(await post(what, { reason: reasonOf(invocation) }))
      case 'bid': {
        const document = await readFile(required(option('document'), 'which document? --document FILE'))
        const documentHash = createHash('sha256').update(document).digest('hex')
        const supplier = required(option('supplier'), 'whose? --supplier ID')
        const priceYuan = required(option('price-yuan'), 'for how much? --price-yuan AMOUNT')
        return packageOutcome(await post('bids', { supplier, priceYuan, documentHash }))
      }
      case 'evaluate': {
        const text = await readInput(required(option('file'), 'which scores? -f FILE'))
        return packageOutcome(await post('evaluation', { scores: jsonOf(text), reason: reasonOf(invocation) }))
      }
      case 'publish': {
        const shares = sharesOf(required(option('shares'), 'which shares? --shares A=60,B=40'))
        return packageOutcome(await post('candidates', { shares, reason: reasonOf(invocation) }))
      }
      case 'object': {
        const raisedBy = required(option('by'), 'who objects? --by NAME')
        return packageOutcome(
          await post('objections', { raisedBy, text: required(option('text'), 'what? --text TEXT') }),
        )
      }
      case 'decide': {
        const number = required(option('number'), 'which objection? --number N')
        const decision = flag('uphold') ? 'upheld' : 'rejected'
        return packageOutcome(
          await post(`objections/${encodeURIComponent(number)}`, { decision, reason: reasonOf(invocation) }),
        )
      }
      default:
        throw new CliError(EXIT.usage, `package ${pack.usage}`)
    }
  },
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CliError(EXIT.usage, 'the scores are not JSON')
  }
}

/** Percent with at most four places are whole ppm. */
function sharesOf(text: string): { supplier: string; ppm: number }[] {
  return text.split(',').map((part) => {
    const [, supplier, whole = '', places = ''] = /^([^=]+)=(\d{1,3})(?:\.(\d{1,4}))?$/.exec(part.trim()) ?? []
    if (supplier === undefined) throw new CliError(EXIT.usage, `not a share: ${part}`)
    return { supplier, ppm: Number(whole + places.padEnd(4, '0')) }
  })
}

function packageOutcome(view: PackageView): Outcome {
  const lines = [
    `${view.id} is ${view.state}: at most ¥${yuan(view.ceiling.netPico)} without tax, ¥${yuan(view.calledPico)} called off`,
    ...(view.objectionsUntilMs === null ? [] : [`objections until ${time(view.objectionsUntilMs)}`]),
    ...view.bids.map(
      ({ supplier, pricePico, total }) =>
        `bid of ${supplier}: ¥${yuan(pricePico)}${total === null ? '' : `, ${total / 1000} points`}`,
    ),
    ...view.shares.map(({ supplier, ppm, lots }) => `share of ${supplier}: ${percent(ppm)}, ${lots} lots ordered`),
    ...view.objections.map(
      ({ seq, raisedBy, text, decision }) => `objection ${seq} of ${raisedBy}: ${text} (${decision ?? 'open'})`,
    ),
  ]
  return { json: view, text: lines.map(printable).join('\n') }
}

export const agreement: Command = {
  name: 'agreement',
  usage: '[list] | draft PACKAGE | submit|sign|suspend|resume|terminate ID',
  summary: 'framework agreements with suppliers',
  help: `  tokenfactory agreement draft ningxia-2026/p1 --supplier lexun --from 2026-06-01 --months 72
  tokenfactory agreement sign agr_01k… --reason 'both parties signed'        by another person than who drew it up

Options:
      --supplier ID         whose
      --from DATE           of draft: the first day
      --months N            of draft: for how long
      --model NAME          of draft: the supplier's own name for the model
${REASON_HELP}`,
  options: {
    supplier: { type: 'string' },
    from: { type: 'string' },
    months: { type: 'string' },
    model: { type: 'string' },
    reason: { type: 'string' },
  },
  arity: [0, 2],
  async run(invocation) {
    const { client, positionals, option } = invocation
    const [what = 'list', id] = positionals
    if (what === 'list')
      return agreementsOutcome(
        await client.get('/supply/agreements', z.array(AgreementView), { supplier: option('supplier') }),
      )
    if (what === 'draft') {
      const view = await client.post('/supply/agreements', AgreementView, {
        package: required(id, 'of which package?'),
        supplier: required(option('supplier'), 'with whom? --supplier ID'),
        validFrom: required(option('from'), 'from when? --from DATE'),
        validMonths: Number(required(option('months'), 'for how long? --months N')),
        ...(option('model') === undefined ? {} : { model: option('model') }),
      })
      return agreementsOutcome([view])
    }
    if (!['submit', 'sign', 'suspend', 'resume', 'terminate'].includes(what))
      throw new CliError(EXIT.usage, `agreement ${agreement.usage}`)
    return agreementsOutcome([
      await client.post(`/supply/agreements/${path(id)}/${what}`, AgreementView, { reason: reasonOf(invocation) }),
    ])
  },
}

function agreementsOutcome(rows: readonly AgreementView[]): Outcome {
  const text = renderTable<AgreementView>(
    [
      { title: 'AGREEMENT', value: (row) => row.id },
      { title: 'PACKAGE', value: (row) => row.package },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'STATE', value: (row) => row.state },
      { title: 'SHARE', value: (row) => percent(row.sharePpm), align: 'right' },
      { title: 'CEILING', value: (row) => amount(row.ceilingPico, 'CNY'), align: 'right' },
      { title: 'CALLED OFF', value: (row) => amount(row.calledPico, 'CNY'), align: 'right' },
      { title: 'UNTIL', value: (row) => time(row.validToMs) },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'no agreement' : text }
}

const STEPS: Readonly<Record<string, string>> = {
  issue: 'issue',
  acknowledge: 'acknowledge',
  'start-delivery': 'start-delivery',
  reject: 'reject',
  'stop-clock': 'stop-clock',
  revoke: 'revoke',
  terminate: 'terminate',
}

export const calloff: Command = {
  name: 'calloff',
  usage:
    '[list] | propose PACKAGE --units N | issue BATCH | deliver ID --units N | acknowledge|start-delivery|reject|stop-clock|resume-clock|revoke|terminate ID',
  summary: 'call-off orders: divided by share, with their delivery clocks',
  help: `  tokenfactory calloff propose ningxia-2026/p1 --units 100 --reason 'first call'
  tokenfactory calloff issue bat_01k… --reason 'budget released'        by another person than who proposed it
  tokenfactory calloff stop-clock cof_01k… --reason 'our site is not ready'

What was delivered is accepted by tokenfactory accept, on measured evidence.

Options:
      --units N             how many
      --supplier ID         of list: whose
${REASON_HELP}`,
  options: { units: { type: 'string' }, supplier: { type: 'string' }, reason: { type: 'string' } },
  arity: [0, 2],
  async run(invocation) {
    const { client, positionals, option } = invocation
    const [what = 'list', id] = positionals
    const units = () => Number(required(option('units'), 'how many? --units N'))
    const post = (tail: string, body?: unknown) =>
      client.post(`/supply/call-offs/${path(id)}/${tail}`, CallOffView, body)
    if (what === 'list')
      return callOffsOutcome(
        await client.get('/supply/call-offs', z.array(CallOffView), { supplier: option('supplier') }),
      )
    if (what === 'propose') {
      const body = { package: required(id, 'of which package?'), units: units(), reason: reasonOf(invocation) }
      return callOffsOutcome(await client.post('/supply/call-offs', z.array(CallOffView), body))
    }
    if (what === 'issue')
      return callOffsOutcome(
        await client.post(`/supply/call-offs/${path(id)}/issue`, z.array(CallOffView), {
          reason: reasonOf(invocation),
        }),
      )
    if (what === 'deliver') return callOffsOutcome([await post('deliveries', { units: units() })])
    if (what === 'resume-clock') return callOffsOutcome([await post('resume-clock')])
    const step = STEPS[what]
    if (step === undefined) throw new CliError(EXIT.usage, `calloff ${calloff.usage}`)
    return callOffsOutcome([await post(step, { reason: reasonOf(invocation) })])
  },
}

function callOffsOutcome(rows: readonly CallOffView[]): Outcome {
  const text = renderTable<CallOffView>(
    [
      { title: 'CALL-OFF', value: (row) => row.id },
      { title: 'BATCH', value: (row) => row.batch },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'STATE', value: (row) => row.state },
      { title: 'UNITS', value: (row) => `${row.deliveredUnits}/${row.units}`, align: 'right' },
      { title: 'EX TAX', value: (row) => amount(row.amount.netPico, 'CNY'), align: 'right' },
      { title: 'DUE BEFORE', value: (row) => (row.dueAtMs === null ? '–' : time(row.dueAtMs)) },
      { title: 'LATE', value: (row) => (row.lateDays === 0 ? '–' : `${row.lateDays} d, ¥${yuan(row.latenessPico)}`) },
      { title: 'ENDS', value: (row) => (row.endsAtMs === null ? '–' : time(row.endsAtMs)) },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'no call-off' : text }
}
