import { expect, test } from 'vitest'
import { REQUEST_ID } from '#kernel'
import { manualClock } from '#platform/clock'
import { createRequestIds, equalSecrets, randomToken, randomWords, sha256 } from '#platform/crypto'

test('a token has the entropy asked for, in letters and digits, and never repeats', () => {
  const tokens = Array.from({ length: 1000 }, () => randomToken(24))
  for (const token of tokens) expect(token).toMatch(/^[0-9A-Za-z]{33}$/)
  expect(new Set(tokens).size).toBe(1000)
})

test('every character of a token is about equally likely', () => {
  const counts = new Map<string, number>()
  for (const char of randomToken(46_000)) counts.set(char, (counts.get(char) ?? 0) + 1)
  expect(counts.size).toBe(62)
  // 61,800 characters, about 997 each with a standard deviation of 31: eight deviations never happen by chance.
  for (const count of counts.values()) expect(Math.abs(count - 997)).toBeLessThan(250)
})

test('secrets compare by value, whatever their lengths', () => {
  expect(equalSecrets('abc', 'abc')).toBe(true)
  expect(equalSecrets('abc', 'abd')).toBe(false)
  expect(equalSecrets('abc', 'abcd')).toBe(false)
  expect(equalSecrets('', '')).toBe(true)
})

test('the digest is SHA-256 in base64', () => {
  expect(sha256('abc')).toBe('ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=')
})

test('random words cover 32 bits across batches', () => {
  const next = randomWords(4)
  const words = Array.from({ length: 4_000 }, next)
  expect(words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)).toBe(true)
  expect(new Set(words).size).toBeGreaterThan(3_990)
  expect(words.some((word) => word >= 2 ** 31)).toBe(true)
})

test('request ids are well-formed, unique and sort by time', () => {
  const clock = manualClock(1_700_000_000_000)
  const makeId = createRequestIds(clock)
  const ids = Array.from({ length: 1_000 }, () => {
    clock.advance(1)
    return makeId()
  })
  for (const id of ids) expect(id).toMatch(REQUEST_ID)
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids).size).toBe(1_000)
})
