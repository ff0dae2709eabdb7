import { expect, test } from 'vitest'
import { freshDatabase } from '../../test/database.ts'
import { liveThrough } from './audit.ts'
import { deathsOf } from './deaths.ts'

/** Every so many of the deaths that `npm run sim:crash-points` goes through, and other ones every day. */
const SAMPLE = 24

test('whoever dies in the middle of the day, nothing acknowledged is lost and the books are right', async () => {
  await using quiet = await freshDatabase()
  const calm = await liveThrough(quiet)
  expect(calm).toMatchObject({ complaints: [], deaths: 0 })
  expect(calm.records).toBeGreaterThan(5)
  const deaths = deathsOf(calm.moments)
  expect(deaths.length).toBeGreaterThan(200)
  const first = Math.floor(Date.now() / 86_400_000) % Math.ceil(deaths.length / SAMPLE)
  for (let i = first; i < deaths.length; i += Math.ceil(deaths.length / SAMPLE)) {
    await using database = await freshDatabase()
    const { complaints } = await liveThrough(database, deaths[i])
    expect({ death: deaths[i], complaints }).toEqual({ death: deaths[i], complaints: [] })
  }
}, 120_000)
