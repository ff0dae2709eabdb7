import { expect, test } from 'vitest'
import type { Slice } from '#contract'
import { recover } from './entries.ts'
import { sampleRecord } from '../../../test/sample-usage.ts'
import { journalModel } from '../../../sim/charging/simulated-journal.ts'
import { createStateLog, type ShippableRecord } from './state-log.ts'
import type { RequestOpening } from './types.ts'

const slice: Slice = { id: 's', bucket: 'wallet:t', epoch: 1, amount: '100', validUntilMs: 9, tight: false }
const nothing = { slices: [], unshipped: [], interrupted: [] }

function opening(id: string, supplier = 'first'): RequestOpening {
  return {
    id,
    slice: 's',
    epoch: 1,
    tenant: 't',
    key: 'k',
    service: 'm',
    supplier,
    model: 'm',
    stream: true,
    acceptedAtMs: 1,
    holdPico: '1',
    sellSheet: '',
    buySheet: '',
    candidates: [],
    attempts: [],
  }
}

/** A log whose slice entry has been rewritten past the `open` of request `a`, which is therefore the oldest entry needed. */
function withOldOpen() {
  const store = journalModel()
  const ready: ShippableRecord[] = []
  const log = createStateLog(store.open(), nothing, () => ready.length, 4)
  const record = (id: string): void =>
    log.record({ ...sampleRecord(1), id, slice: 's' }, ['s'], (error, shippable) => {
      if (!error) ready.push(shippable)
    })
  log.slice(
    slice,
    () => ready.length,
    () => {},
  )
  record('b')
  record('c')
  log.open(opening('a'))
  record('d')
  store.sync(Infinity)
  log.shipped(ready.slice(0, 1))
  store.sync(Infinity)
  const afterCrash = () => {
    store.crash(0)
    return recover('gw-0', store.open().recovered)
  }
  return { log, store, record, ready, afterCrash }
}

test('a request stays known until its record is durable, whatever is discarded meanwhile', () => {
  const { log, record, ready, afterCrash } = withOldOpen()
  record('a')
  log.shipped(ready)
  expect(afterCrash().interrupted.map((each) => each.record.id)).toEqual(['a'])
})

test('after a failover the first supplier stays on record until the second is', () => {
  const { log, store, ready, afterCrash } = withOldOpen()
  log.open(opening('a', 'second'))
  log.shipped(ready)
  expect(afterCrash().interrupted.map((each) => each.record.supplier)).toEqual(['first'])
  store.sync(Infinity)
})

test('a recovered request costs its last checkpoint and the customer nothing', () => {
  const { log, store, afterCrash } = withOldOpen()
  const tokens = { uncachedInput: 5, cacheWrite: 0, cacheRead: 0, output: 7, reasoning: 0 }
  log.checkpoint('a', { atMs: 3, tokens: { ...tokens, output: 2 }, buyPico: '20' })
  log.checkpoint('a', { atMs: 4, tokens, buyPico: '50' })
  store.sync(Infinity)
  expect(afterCrash().interrupted[0]?.record).toMatchObject({
    ending: 'interrupted',
    tokens,
    basis: 'checkpoint',
    buyPico: '50',
    sellPico: '0',
    taxPico: '0',
    completedAtMs: 4,
    durationMs: 3,
  })
})

test('a slice comes back with the number of its records, though most of them are discarded', () => {
  const { log, store, record, ready, afterCrash } = withOldOpen()
  record('a')
  store.sync(Infinity)
  log.shipped(ready)
  const recovered = afterCrash()
  expect(recovered.slices.map(({ slice: { id }, records }) => [id, records])).toEqual([['s', 4]])
  expect(store.kept()).toBeLessThan(5)
})
