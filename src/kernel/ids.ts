import type { Brand } from './brand.ts'

export type RequestId = Brand<string, 'RequestId'>

/** Tenants, suppliers, services and sheets are named by people: lower-case words that are safe in a path, a label and a log. */
export const SLUG = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/

/** Service names may carry one organisation prefix, as clients write them: `qwen/qwen3-32b`. */
export const SERVICE_NAME =
  /^[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,62}[A-Za-z0-9])?(?:\/[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,62}[A-Za-z0-9])?)?$/

export const REQUEST_ID = /^req_[0-9a-z]{26}$/

/** Crockford's base 32, lower case: no i, l, o, u, so an id survives being read aloud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * A sortable id of 26 characters after ULID's layout (github.com/ulid/spec): 48 bits of milliseconds, then 80 random bits.
 * `random` yields integers in [0, 2³²); pass at least three per id.
 */
export function sortableId(nowMs: number, random: () => number): string {
  let text = ''
  let time = nowMs
  for (let i = 0; i < 10; i++) {
    text = ALPHABET.charAt(time % 32) + text
    time = Math.floor(time / 32)
  }
  for (let word = 0; word < 3; word++) {
    let bits = random()
    for (let i = 0; i < (word === 2 ? 4 : 6); i++) {
      text += ALPHABET.charAt(bits & 31)
      bits >>>= 5
    }
  }
  return text
}
