import { crc32 } from 'node:zlib'
import { randomToken, sha256 } from '#platform/crypto'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX = 'sk-tf-'
/** 192 random bits. */
const RANDOM_BYTES = 24
const RANDOM_CHARS = 33
/** 62⁶ is above 2³², so a CRC-32 always fits. */
const CHECKSUM_CHARS = 6
const SHOWN_CHARS = 6

export interface KeyText {
  /** The whole key, to be told once. */
  readonly secret: string
  /** base64 of SHA-256 over `secret`. */
  readonly hash: string
  /** The beginning, enough to recognise a key by. */
  readonly preview: string
}

export function newKeyText(): KeyText {
  const random = randomToken(RANDOM_BYTES)
  const secret = `${PREFIX}${random}${checksum(random)}`
  return { secret, hash: sha256(secret), preview: `${secret.slice(0, PREFIX.length + SHOWN_CHARS)}…` }
}

/** Whether a text could be one of our keys: tells a mistyped key from a revoked one without a look-up. */
export function isWellFormedKey(text: string): boolean {
  if (text.length !== PREFIX.length + RANDOM_CHARS + CHECKSUM_CHARS || !text.startsWith(PREFIX)) return false
  const random = text.slice(PREFIX.length, PREFIX.length + RANDOM_CHARS)
  return /^[0-9A-Za-z]+$/.test(random) && text.endsWith(checksum(random))
}

function checksum(random: string): string {
  let rest = crc32(random)
  let text = ''
  for (let i = 0; i < CHECKSUM_CHARS; i++) {
    text = BASE62.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  return text
}
