import { expect, test } from 'vitest'
import { manualClock } from '#platform/clock'
import { isWellFormedKey, newKeyText } from './key-text.ts'
import { keyStatus, sameLimits } from './model.ts'
import { hashPassword, verifyPassword } from './password.ts'
import { createThrottle } from './throttle.ts'

test('a new key is well formed, unlike any other, and shows too little of itself to be used', () => {
  const a = newKeyText()
  const b = newKeyText()
  expect(a.secret).toMatch(/^sk-tf-[0-9A-Za-z]{39}$/)
  expect(a.secret).not.toBe(b.secret)
  expect(a.hash).toHaveLength(44)
  expect(isWellFormedKey(a.secret)).toBe(true)
  expect(a.secret.startsWith(a.preview.slice(0, -1))).toBe(true)
  expect(a.preview).toHaveLength(13)
})

test('a key with any character changed is no key', () => {
  const { secret } = newKeyText()
  for (let i = 0; i < secret.length; i++) {
    const other = secret[i] === 'x' ? 'y' : 'x'
    expect(isWellFormedKey(secret.slice(0, i) + other + secret.slice(i + 1))).toBe(false)
  }
  expect(isWellFormedKey('')).toBe(false)
  expect(isWellFormedKey(`${secret}0`)).toBe(false)
})

test('a key expires at its instant, and a revoked one stays revoked', () => {
  expect(keyStatus({ status: 'active', expiresAtMs: 100 }, 99)).toBe('active')
  expect(keyStatus({ status: 'active', expiresAtMs: 100 }, 100)).toBe('expired')
  expect(keyStatus({ status: 'active', expiresAtMs: null }, 100)).toBe('active')
  expect(keyStatus({ status: 'revoked', expiresAtMs: 100 }, 200)).toBe('revoked')
})

test('limits are compared field by field, absent meaning unlimited', () => {
  expect(sameLimits({ requestsPerMinute: 1, maxConcurrency: 2 }, { maxConcurrency: 2, requestsPerMinute: 1 })).toBe(
    true,
  )
  expect(sameLimits({ requestsPerMinute: 1 }, {})).toBe(false)
})

test('a password is recognised from its hash, in whatever Unicode form it is typed, and nothing else is', async () => {
  const hash = await hashPassword('pässword')
  expect(hash).not.toContain('ssword')
  expect(await verifyPassword('pässword'.normalize('NFD'), hash)).toBe(true)
  expect(await verifyPassword('passord', hash)).toBe(false)
  expect(await verifyPassword('', undefined)).toBe(false)
  expect(await verifyPassword('', '')).toBe(false)
  expect(await verifyPassword('', 'scrypt$16$8$2$$')).toBe(false)
})

test('after the free failures one waits until the first of them is out of the window', () => {
  const clock = manualClock(1_000)
  const throttle = createThrottle({ clock, free: 3, windowMs: 100, capacity: 10 })
  for (let i = 0; i < 3; i++) {
    expect(throttle.waitMs(['a'])).toBe(0)
    throttle.failed(['a'])
    clock.advance(10)
  }
  expect(throttle.waitMs(['a'])).toBe(70)
  expect(throttle.waitMs(['b'])).toBe(0)
  clock.advance(70)
  expect(throttle.waitMs(['a'])).toBe(0)
  throttle.failed(['a'])
  throttle.succeeded(['a'])
  expect(throttle.waitMs(['a'])).toBe(0)
})

test('invented addresses cannot fill the memory of the throttle', () => {
  const clock = manualClock(0)
  const throttle = createThrottle({ clock, free: 2, windowMs: 100, capacity: 5 })
  throttle.failed(['early'])
  for (let i = 0; i < 50; i++) throttle.failed([`a${i}`])
  throttle.failed(['early'])
  expect(throttle.waitMs(['early'])).toBe(0)
  throttle.failed(['a49'])
  expect(throttle.waitMs(['a49'])).toBe(100)
})

test('invented addresses make nobody forgotten who has to wait, or who is close to it', () => {
  const throttle = createThrottle({ clock: manualClock(0), free: 3, windowMs: 100, capacity: 10 })
  for (let i = 0; i < 3; i++) throttle.failed(['blocked'])
  for (let i = 0; i < 2; i++) throttle.failed(['victim'])
  for (let i = 0; i < 1_000; i++) throttle.failed([`a${i}`])
  expect(throttle.waitMs(['blocked'])).toBe(100)
  throttle.failed(['victim'])
  expect(throttle.waitMs(['victim'])).toBe(100)
})

test('what is over is forgotten before what still counts, and memory stays bounded even when everybody has to wait', () => {
  const clock = manualClock(0)
  const throttle = createThrottle({ clock, free: 2, windowMs: 100, capacity: 4 })
  for (const name of ['x', 'x', 'y', 'y']) throttle.failed([name])
  clock.advance(100)
  for (const name of ['a', 'b', 'c', 'd']) throttle.failed([name])
  for (const name of ['a', 'b', 'c', 'd']) throttle.failed([name])
  for (let i = 0; i < 20; i++) throttle.failed([`n${i}`])
  expect(['a', 'b', 'c', 'd'].map((name) => throttle.waitMs([name]))).toEqual([100, 100, 100, 100])
  throttle.failed(['n0'])
  expect(throttle.waitMs(['n0'])).toBe(0)
})

test('a failure that is taken back was none', () => {
  const throttle = createThrottle({ clock: manualClock(0), free: 1, windowMs: 100, capacity: 5 })
  throttle.failed(['a'])
  throttle.undo(['a'])
  expect(throttle.waitMs(['a'])).toBe(0)
  throttle.undo(['unknown'])
  expect(throttle.waitMs(['unknown'])).toBe(0)
})
