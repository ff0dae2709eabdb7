import { expect, test } from 'vitest'
import { freshDatabase } from '../../test/database.ts'
import { liveThrough } from './audit.ts'
import { deathsOf } from './deaths.ts'

/** A sample of the deaths that `npm run sim:crash-points` goes through. */
const SAMPLE = 24

test('whoever dies in the middle of the day, nothing acknowledged is lost and the books are right', async () => {
  await using quiet = await freshDatabase()
  const calm = await liveThrough(quiet)
  expect(calm).toMatchObject({ complaints: [], deaths: 0 })
  expect(calm.records).toBeGreaterThan(5)
  const deaths = deathsOf(calm.moments)
  expect(deaths.length).toBeGreaterThan(200)
  const every = Math.ceil(deaths.length / SAMPLE)
  for (let i = 3; i < deaths.length; i += every) {
    await using database = await freshDatabase()
    const { complaints } = await liveThrough(database, deaths[i])
    expect({ death: deaths[i], complaints }).toEqual({ death: deaths[i], complaints: [] })
  }
}, 120_000)
