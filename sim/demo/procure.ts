import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseYuan } from '#kernel'
import type { manualClock } from '#platform/clock'
import { checkConformance } from '#quality'
import { WINNERS } from './market.ts'
import type { World } from './world.ts'

export const PACKAGE = 'ningxia-2026/p1'
export const MANAGER = { by: 'wang@operator.example' }
export const DIRECTOR = { by: 'li@operator.example' }

export const atChina = (text: string): number => Date.parse(`${text}+08:00`)
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

type Clock = ReturnType<typeof manualClock>
export interface Story {
  readonly world: World
  readonly clock: Clock
  readonly tell: (text: string) => void
}

function goTo(clock: Clock, text: string): void {
  clock.advance(atChina(text) - clock.nowMs())
}

/** From the announcement to signed agreements: who published cannot award, who drew up cannot sign. */
export async function procure({ world: { agreements }, clock, tell }: Story): Promise<void> {
  const tender = readFileSync(new URL('../../examples/tender.yaml', import.meta.url), 'utf8')
  const coded = WINNERS.reduce(
    (text, { id, uscc }) => text.replace(`{ id: ${id},`, `{ id: ${id}, uscc: ${uscc},`),
    tender,
  )
  // Some fifty requests a day stand for a nation's: the units are as much smaller.
  const small = coded
    .replace('inputTokensPerMinute: 2000000', 'inputTokensPerMinute: 100')
    .replace('outputTokensPerMinute: 200000', 'outputTokensPerMinute: 100')
  goTo(clock, '2026-03-20T09:00')
  const { project } = await agreements.applyTender(small, 'examples/tender.yaml', MANAGER)
  tell(
    `announced: ${project.packages.length} packages, ${project.packages.filter(({ state }) => state === 'open').length} of them open`,
  )
  goTo(clock, '2026-04-20T10:00')
  for (const [i, { id }] of WINNERS.entries())
    await agreements.recordBid(
      PACKAGE,
      {
        supplier: id,
        pricePico: parseYuan('1380000000') + BigInt(i) * parseYuan('20000000'),
        documentHash: sha256(`bid of ${id}`),
      },
      MANAGER,
    )
  goTo(clock, '2026-04-28T16:00')
  const scores = Object.fromEntries(
    WINNERS.map(({ id }, i) => [
      id,
      { price: 30_000 - 900 * i, technology: 45_000 - 1_500 * i, delivery: 18_000 - 400 * i },
    ]),
  )
  await agreements.evaluate(PACKAGE, scores, MANAGER, 'scored by the evaluation committee')
  goTo(clock, '2026-05-06T09:00')
  await agreements.publish(
    PACKAGE,
    WINNERS.map(({ id: supplier, ppm }) => ({ supplier, ppm })),
    MANAGER,
    'ranked by score',
  )
  goTo(clock, '2026-05-10T10:00')
  await agreements.award(PACKAGE, DIRECTOR, 'no objection in the window')
  tell(`package 1 awarded: ${WINNERS.map(({ id, ppm }) => `${id} ${ppm / 10_000} %`).join(', ')}`)
  goTo(clock, '2026-05-20T10:00')
  for (const { id: supplier } of WINNERS) {
    const { id } = await agreements.draft(
      { package: PACKAGE, supplier, validFromMs: clock.nowMs(), validMonths: 72 },
      MANAGER,
    )
    await agreements.submit(id, MANAGER, 'terms agreed')
    await agreements.sign(id, DIRECTOR, 'signed by both parties')
  }
  tell('four framework agreements signed')
}

/** An order, its deliveries, and acceptance on the evidence of a conformance run against the supplier for real. */
export async function deliver(
  { world: { agreements }, clock, tell }: Story,
  urlOf: (supplier: string) => string,
): Promise<void> {
  goTo(clock, '2026-06-01T10:00')
  const [first] = await agreements.propose(
    { package: PACKAGE, units: 100, reason: 'first call for the region' },
    MANAGER,
  )
  const orders = await agreements.issue(first?.batch ?? '', DIRECTOR, 'budget released')
  tell(`ordered: ${orders.map(({ supplier, units }) => `${supplier} ${units} units`).join(', ')}, due within 30 days`)
  for (const { id, supplier } of orders) {
    const them = { by: `ops@${supplier}.example` }
    await agreements.acknowledge(id, them, 'received', supplier)
    await agreements.startDelivery(id, them, 'racks are on their way', supplier)
  }
  const orderedAtMs = clock.nowMs()
  for (const { id: supplier, deliveredAfterDays } of WINNERS) {
    const order = orders.find((each) => each.supplier === supplier)
    if (!order) continue
    clock.advance(orderedAtMs + deliveredAfterDays * 86_400_000 - clock.nowMs())
    await agreements.deliver(order.id, order.units, { by: `ops@${supplier}.example` }, supplier)
    const report = await checkConformance(
      {
        ...{ baseUrl: urlOf(supplier), model: 'deepseek-chat', apiKey: undefined },
        ...{ maxTokensField: 'max_tokens', timeoutMs: 10_000 },
      },
      {
        ...{ counter: undefined, contextTokens: undefined, promised: new Set(), burst: 0 },
        tolerance: { outputAbs: 4, outputPpm: 5_000, inputAbs: 8, inputPpm: 10_000 },
      },
      { clock },
    )
    const accepted = await agreements.acceptCallOff(
      order.id,
      { reportHash: sha256(JSON.stringify(report)), reason: 'conformance looked at, delivered in full' },
      DIRECTOR,
    )
    const late = accepted.lateDays > 0 ? `, ${accepted.lateDays} days late` : ''
    tell(`accepted: ${supplier}, ${order.units} units${late}`)
  }
}
