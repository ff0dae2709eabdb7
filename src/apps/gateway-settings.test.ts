import { expect, test } from 'vitest'
import { readConfig } from '#platform/config'
import { ControlConfig } from './control-config.ts'
import { readGatewaySettings } from './gateway-settings.ts'

test('address and drain have the names that all programs use; HOST, which some shells export, is nobody’s', () => {
  const env = { HOST: 'workstation', GATEWAY_HOST: '0.0.0.0', DRAIN_SECONDS: '3' }
  expect(readGatewaySettings(env, '/models')).toMatchObject({ host: '0.0.0.0', drainMs: 3_000 })
  expect(readGatewaySettings({ HOST: 'workstation' }, '/models')).toMatchObject({ host: '127.0.0.1', drainMs: 20_000 })
  const database = { DATABASE_URL: 'postgres://x', HOST: 'workstation' }
  expect(readConfig(ControlConfig, database).CONTROL_HOST).toBe('127.0.0.1')
  expect(readConfig(ControlConfig, { ...database, CONTROL_HOST: '::' }).CONTROL_HOST).toBe('::')
})

test.each(['0', '3601', '20s'])('a drain of %j is refused', (text) => {
  expect(() => readGatewaySettings({ DRAIN_SECONDS: text }, '/models')).toThrow(`DRAIN_SECONDS="${text}" must be`)
})

test('ceilings and queue bounds of classes are the operator’s to set; what is not named keeps its default', () => {
  const { classes } = readGatewaySettings(
    { CLASS_CEILINGS: 'standard=0.9, flex=0.5', CLASS_QUEUES: 'flex=0' },
    '/models',
  )
  expect(classes).toMatchObject({
    priority: { ceiling: 1, maxWaiting: 256 },
    standard: { ceiling: 0.9, maxWaiting: 512 },
    flex: { ceiling: 0.5, maxWaiting: 0 },
    batch: { ceiling: 0.7 },
  })
})

test.each(['standard', 'standard=', 'standard=1.5', 'gold=0.5', 'standard=x'])('a ceiling of %j is refused', (text) => {
  expect(() => readGatewaySettings({ CLASS_CEILINGS: text }, '/models')).toThrow(`CLASS_CEILINGS="${text}"`)
})
