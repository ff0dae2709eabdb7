import type { Brand } from './brand.ts'

export type RequestId = Brand<string, 'RequestId'>

/** Tenants, suppliers, services and sheets are named by people: lower-case words that are safe in a path, a label and a log. */
export const SLUG = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/

/** Service names may carry one organisation prefix, as clients write them: `qwen/qwen3-32b`. */
export const SERVICE_NAME =
  /^[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,62}[A-Za-z0-9])?(?:\/[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,62}[A-Za-z0-9])?)?$/

export const REQUEST_ID = /^req_[0-9a-z]{26}$/

/** The conversion table by which one dimension of a reservation's offer counts tokens: `tpm-in.qwen-max`. */
export function reservationTableId(offer: string, dimension: string): string {
  return `tpm-${dimension}.${offer}`
}

/** Crockford's base 32, lower case: no i, l, o, u, so an id survives being read aloud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * A sortable id of 26 characters after ULID's layout (github.com/ulid/spec): 48 bits of milliseconds, then 80 random bits.
 * `random` yields integers in [0, 2³²); pass at least three per id.
 */
export function sortableId(nowMs: number, random: () => number): string {
  if (nowMs !== lastMs) {
    lastMs = nowMs
    lastTimeText = timeText(nowMs)
  }
  const a = random()
  const b = random()
  const c = random()
  return lastTimeText + sixOf(a) + sixOf(b) + pair(c) + pair(c >>> 10)
}

/** Ids made within one millisecond share their first ten characters. */
let lastMs = -1
let lastTimeText = ''

function timeText(nowMs: number): string {
  let text = ''
  let time = nowMs
  for (let i = 0; i < 10; i++) {
    text = ALPHABET.charAt(time % 32) + text
    time = Math.floor(time / 32)
  }
  return text
}

function sixOf(bits: number): string {
  return pair(bits) + pair(bits >>> 10) + pair(bits >>> 20)
}

/** All pairs of characters: 10 bits become text in one look-up. */
const PAIRS = Array.from({ length: 1024 }, (_, bits) => ALPHABET.charAt(bits & 31) + ALPHABET.charAt(bits >>> 5))

function pair(bits: number): string {
  return PAIRS[bits & 1023] ?? ''
}
