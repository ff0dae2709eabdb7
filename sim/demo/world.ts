import { fileURLToPath } from 'node:url'
import type { Clock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { migrate } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import { openRooms } from '../../src/apps/control-rooms.ts'
import { installationSecrets } from '../../src/apps/control-secrets.ts'

export type World = Awaited<ReturnType<typeof openWorld>>

/** The control plane's rooms over a database, under a clock of ours. */
export async function openWorld(database: Database, clock: Clock, dataDir: string) {
  await migrate(database, fileURLToPath(new URL('../../migrations', import.meta.url)))
  const { signingKey } = installationSecrets(dataDir)
  return { database, ...openRooms({ database, clock, log: nullLog, signingKey }) }
}
