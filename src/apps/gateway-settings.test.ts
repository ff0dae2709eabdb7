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
