import { expect, test } from 'vitest'
import type { UsageReply } from '#contract'
import { nullLog } from '#platform/log'
import { createChargingClient } from './charging-client.ts'
import { createShipper } from './shipper.ts'
import type { ShippableRecord } from './state-log.ts'
import type { ChargingClient, Timer } from './types.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const accepted = (quarantined: UsageReply['quarantined'] = []): UsageReply => ({
  accepted: 1,
  duplicates: 0,
  quarantined,
})
const records = (count: number): ShippableRecord[] =>
  Array.from({ length: count }, (_, i) => ({ id: `r${i}`, slices: [], text: Buffer.from(`"r${i}"`), seq: i + 1 }))

/** The client's own refusal, as a server provokes it. */
async function refusal(): Promise<unknown> {
  const { createServer } = await import('node:http')
  const server = createServer((_request, response) => response.writeHead(422).end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const client = createChargingClient({
    origin: `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`,
    token: 't',
  })
  const error: unknown = await client.register('gw-0', 'journal-0').catch((cause: unknown) => cause)
  client.closeConnections()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  return error
}

function setUp(usage: (ids: string[]) => UsageReply | Promise<UsageReply>) {
  const sent: string[][] = []
  const acknowledged: string[] = []
  const quarantined: string[] = []
  const refused: string[] = []
  let timers: Array<{ readonly delayMs: number; readonly run: () => void }> = []
  const timer: Timer = (delayMs, run) => {
    const entry = { delayMs, run }
    timers.push(entry)
    return () => void (timers = timers.filter((each) => each !== entry))
  }
  const unused = (): never => {
    throw new Error('not called here')
  }
  const charging: ChargingClient = {
    register: unused,
    grant: unused,
    close: unused,
    openSlices: unused,
    usage: async (_gateway, texts) => {
      const ids = texts.map((text) => String(JSON.parse(text.toString())))
      sent.push(ids)
      return usage(ids)
    },
  }
  const shipper = createShipper({
    gateway: 'gw-0',
    charging,
    log: nullLog,
    timer,
    lingerMs: 20,
    busyLingerMs: 250,
    onAcknowledged(batch, ids) {
      acknowledged.push(...batch.map(({ id }) => id))
      quarantined.push(...ids)
    },
    onRefused: ({ id }) => refused.push(id),
  })
  /** Lets every timer up to `delayMs` long run, until nothing more happens. */
  async function run(maxDelayMs = 10_000): Promise<void> {
    for (let round = 0; round < 100; round++) {
      await settle()
      const due = timers.find((each) => each.delayMs <= maxDelayMs)
      if (!due) return
      timers = timers.filter((each) => each !== due)
      due.run()
    }
  }
  return { shipper, sent, acknowledged, quarantined, refused, run, delays: () => timers.map(({ delayMs }) => delayMs) }
}

test('records go in order, at most five hundred at a time, one batch after the other', async () => {
  const { shipper, sent, acknowledged, run } = setUp(() => accepted())
  const all = records(1_201)
  for (const record of all) shipper.add(record)
  await run()
  expect(sent.map((batch) => batch.length)).toEqual([500, 500, 201])
  expect(acknowledged).toEqual(all.map(({ id }) => id))
  expect(shipper.size).toBe(0)
})

test('a batch that fails is sent again, later and later, and loses nothing', async () => {
  let failures = 8
  const { shipper, sent, acknowledged, run, delays } = setUp(() => {
    if (failures-- > 0) throw new Error('connection refused')
    return accepted()
  })
  for (const record of records(3)) shipper.add(record)
  shipper.hurry()
  await settle()
  expect(delays()).toEqual([100])
  // Neither more records nor haste break the back-off.
  shipper.add({ id: 'r3', slices: [], text: Buffer.from('"r3"'), seq: 4 })
  shipper.hurry()
  await settle()
  expect(sent).toHaveLength(1)
  await run()
  expect(sent).toHaveLength(9)
  expect(acknowledged).toEqual(['r0', 'r1', 'r2', 'r3'])
})

test('one record that charging cannot read does not hold up the others, and is kept', async () => {
  const error = await refusal()
  const { shipper, acknowledged, refused, run, delays } = setUp((ids) => {
    if (ids.includes('r77')) throw error
    return accepted()
  })
  for (const record of records(300)) shipper.add(record)
  await run()
  expect(refused).toEqual(['r77'])
  expect(acknowledged).toHaveLength(299)
  expect(acknowledged).not.toContain('r77')
  expect(shipper.size).toBe(1)
  expect(delays()).toEqual([60_000])
})

test('what charging sets aside is acknowledged and named', async () => {
  const { shipper, acknowledged, quarantined, run } = setUp(() =>
    accepted([{ id: 'r1', reason: 'sum above the slice' }]),
  )
  for (const record of records(3)) shipper.add(record)
  await run()
  expect(acknowledged).toEqual(['r0', 'r1', 'r2'])
  expect(quarantined).toEqual(['r1'])
})

test('while many records come they wait longer for company, and no longer once few do', async () => {
  const { shipper, run, sent, delays } = setUp(() => accepted())
  records(12).forEach((record) => shipper.add(record))
  expect(delays()).toEqual([20])
  await run()
  shipper.add(records(1)[0]!)
  expect(delays()).toEqual([250])
  await run()
  shipper.add(records(1)[0]!)
  expect(delays()).toEqual([20])
  await run()
  expect(sent.map((ids) => ids.length)).toEqual([12, 1, 1])
})
