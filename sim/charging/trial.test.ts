import { expect, test } from 'vitest'
import { TRIALS, audit } from './trial.ts'

/** A short run of `npm run sim:charging`; the histories follow from their seeds. */
const SEEDS = Array.from({ length: 80 }, (_, seed) => seed)

for (const trial of TRIALS.filter((each) => !each.isMutant)) {
  test(`${trial.name}: the auditor has no complaint`, async () => {
    let requests = 0
    for (const seed of SEEDS) {
      const verdict = await audit(trial, seed)
      expect({ seed, complaints: verdict.complaints }).toEqual({ seed, complaints: [] })
      requests += verdict.requests
    }
    expect(requests).toBeGreaterThan(SEEDS.length)
  })
}

for (const trial of TRIALS.filter((each) => each.isMutant)) {
  test(`${trial.name}: the auditor notices`, async () => {
    let noticed = 0
    for (const seed of SEEDS.slice(0, 60)) if ((await audit(trial, seed)).complaints.length > 0) noticed++
    expect(noticed).toBeGreaterThan(0)
  })
}
