import { expect, test } from 'vitest'
import { makeMonth } from '../../../../sim/statements/month.ts'
import { settleMonth } from '../../../../sim/statements/settle.ts'
import { expectCoherent } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import { openWorld } from '../../../../test/settlement.ts'

test('matching finds exactly the differences that were put into a statement, and settling it leaves no accrual', async () => {
  await using database = await freshDatabase()
  await using stack = new AsyncDisposableStack()
  const world = await openWorld(database, stack)
  const month = await makeMonth(world, { count: 5_000 })
  expect(month.expected.size).toBe(40)
  const { complaints, classes } = await settleMonth(world, { database, month })
  expect(complaints).toEqual([])
  expect(classes).toEqual([
    'cutoff auto_resolved 5',
    'duplicate adjusted 5',
    'missing_ours adjusted 5',
    'missing_theirs accepted 5',
    'model_mapping auto_resolved 5',
    'price accepted 5',
    'quantity adjusted 5',
    'tax adjusted 5',
  ])
  await expectCoherent(world.charging)
})
