import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { ScryptOptions } from 'node:crypto'

/** OWASP's second setting for scrypt: 2¹⁶ × 8 × 2 costs 64 MiB and some 200 ms, so guessing is slow and a burst is bearable. */
const LOG2_COST = 16
const BLOCK = 8
const PARALLEL = 2
const KEY_BYTES = 32
const SALT_BYTES = 16

/** `scrypt$16$8$2$<salt>$<key>`, so that the cost can rise later without locking anybody out. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(password, salt, LOG2_COST, BLOCK, PARALLEL)
  return ['scrypt', LOG2_COST, BLOCK, PARALLEL, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/**
 * Checks a password. With no hash to check against (nobody has this address) the same work is done on a fixed salt, so that
 * the time taken does not tell which addresses exist.
 */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [scheme, cost, block, parallel, salt, key] = (stored ?? '').split('$')
  const isReal = scheme === 'scrypt' && salt !== undefined && key !== undefined
  const expected = Buffer.from(isReal ? key : '', 'base64url')
  const actual = isReal
    ? await derive(password, Buffer.from(salt, 'base64url'), Number(cost), Number(block), Number(parallel))
    : await derive(password, Buffer.alloc(SALT_BYTES), LOG2_COST, BLOCK, PARALLEL)
  return isReal && expected.length === actual.length && timingSafeEqual(expected, actual)
}

function derive(password: string, salt: Buffer, log2Cost: number, block: number, parallel: number): Promise<Buffer> {
  const cost = 2 ** log2Cost
  const options: ScryptOptions = { N: cost, r: block, p: parallel, maxmem: 256 * cost * block }
  return new Promise((done, fail) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) => (error ? fail(error) : done(key)))
  })
}
