import { expect, test } from 'vitest'
import { recover } from './entries.ts'

const journalOf = (...entries: readonly object[]) =>
  entries.map((entry, i) => ({ seq: i + 1, payload: Buffer.from(JSON.stringify(entry)) }))

const opening = {
  id: 'a',
  slice: 'w',
  epoch: 1,
  tenant: 't',
  key: 'k',
  service: 's',
  supplier: 'x',
  model: 'm',
  stream: true,
  acceptedAtMs: 1,
  holdPico: '5',
  sellSheet: '',
  buySheet: '',
  candidates: [],
  attempts: [],
}
const draw = { kind: 'cap', bucket: 'cap:c@2026-11', slice: 'c', held: '5', amount: '0', version: null, covered: null }

test('a journal of before there were buckets is replayed: a slice of a tenant is one of its wallet', () => {
  const { slices, unshipped } = recover(
    'gw-0',
    journalOf(
      {
        t: 'slice',
        slice: { id: 'w', tenant: 'acme', epoch: 3, amountPico: '100', validUntilMs: 9, tight: false },
        records: 2,
      },
      { t: 'record', record: { id: 'a', slice: 'w' } },
      { t: 'record', record: { id: 'b', slice: 'w' } },
      { t: 'quarantined', id: 'b', slice: 'w' },
      { t: 'record', record: { id: 'n', slice: null } },
    ),
  )
  expect(slices).toEqual([
    {
      slice: { id: 'w', bucket: 'wallet:acme', epoch: 3, amount: '100', validUntilMs: 9, tight: false },
      seq: 1,
      records: 3,
    },
  ])
  expect(unshipped.map(({ id, slices: named }) => [id, named])).toEqual([
    ['a', ['w']],
    ['n', []],
  ])
})

test('a record counts on every slice that it names, also one that is set aside or recovered', () => {
  const slice = (id: string, bucket: string) => ({ id, bucket, epoch: 1, amount: '9', validUntilMs: 9, tight: false })
  const { slices, interrupted } = recover(
    'gw-0',
    journalOf(
      { t: 'slice', slice: slice('w', 'wallet:t'), records: 0 },
      { t: 'slice', slice: slice('c', 'cap:c@2026-11'), records: 0 },
      { t: 'record', record: { id: 'b', slice: 'w', draws: [draw] } },
      { t: 'record', record: { id: 'd', slice: null, draws: [draw] } },
      { t: 'record', record: { id: 'e', slice: 'w', draws: [draw] } },
      { t: 'quarantined', id: 'e', slices: ['w', 'c'] },
      { t: 'open', request: { ...opening, draws: [draw] }, checkpoint: null },
    ),
  )
  expect(slices.map(({ slice: { id }, records }) => [id, records])).toEqual([
    ['w', 1],
    ['c', 2],
  ])
  expect(interrupted.map(({ record }) => record)).toMatchObject([{ id: 'a', slice: 'w', sellPico: '0', draws: [draw] }])
})
