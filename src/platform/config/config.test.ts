import { expect, test } from 'vitest'
import * as z from 'zod'
import { ConfigError, Flag, HttpUrl, Port, PositiveInt, Secret, readConfig } from '#platform/config'

const schema = z.object({
  GATEWAY_PORT: Port.default(8080),
  WORKERS: PositiveInt.optional(),
  VERBOSE: Flag.default(false),
  UPSTREAM: HttpUrl.optional(),
  PASSPHRASE: Secret.optional(),
})

test('settings are parsed into their types, and defaults fill the rest', () => {
  expect(
    readConfig(schema, { GATEWAY_PORT: '9000', WORKERS: '3', VERBOSE: 'Yes', UPSTREAM: 'http://localhost:1/v1' }),
  ).toEqual({
    GATEWAY_PORT: 9000,
    WORKERS: 3,
    VERBOSE: true,
    UPSTREAM: 'http://localhost:1/v1',
  })
  expect(readConfig(schema, { GATEWAY_PORT: '' })).toEqual({ GATEWAY_PORT: 8080, VERBOSE: false })
})

test.each(['0', '65536', '-1', '80.5', '8080x', ' 80', '1e3', '0x50'])('%j is not a port', (text) => {
  expect(() => readConfig(schema, { GATEWAY_PORT: text })).toThrow(
    /GATEWAY_PORT=.* must be a port number from 1 to 65535/,
  )
})

test('every mistake is in the one line', () => {
  const env = { GATEWAY_PORT: 'x', WORKERS: '0', VERBOSE: 'perhaps', UPSTREAM: 'ftp://a' }
  let message = ''
  try {
    readConfig(schema, env)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    message = (error as Error).message
  }
  for (const name of Object.keys(env)) expect(message).toContain(name)
  expect(message).not.toContain('\n')
})

test('a missing setting is called missing', () => {
  expect(() => readConfig(z.object({ DATA_DIR: z.string() }), {})).toThrow('wrong settings: DATA_DIR is not set')
})

test('a secret is not repeated in the complaint about it', () => {
  const strict = z.object({ PASSPHRASE: Secret.max(3, 'is too long'), ADMIN_TOKEN: z.string().max(3, 'is too long') })
  expect(() => readConfig(strict, { PASSPHRASE: 'hunter2', ADMIN_TOKEN: 'hunter2' })).toThrow(
    'wrong settings: PASSPHRASE is too long; ADMIN_TOKEN is too long',
  )
})
