import { hash } from 'node:crypto'
import type { Entry, Posting, PostingInput } from './model.ts'

/** What the first posting has for its predecessor. */
export const GENESIS_HASH = '0'.repeat(64)

const sha256 = (text: string): string => hash('sha256', text, 'hex')

/** Follows from the key alone, so a caller knows the id of a posting before it is made and a repetition finds the same. */
export function postingId(key: string): string {
  return `pst_${sha256(key).slice(0, 32)}`
}

/**
 * The hash that chains a posting to all before it: SHA-256 over UTF-8 lines, in this order and each ended by LF:
 * `tokenfactory posting 1`, `prev <hex>`, `seq <n>`, `id <id>`, `key <JSON string>`, `kind <JSON string>`, `memo <JSON string>`,
 * `booked <ms>`, one `entry <account> <pico>` per entry in the order of accounts, `facts <n>`, `evidence <hex or ->`.
 */
export function chainHash(posting: Omit<Posting, 'hash'>): string {
  return sha256(
    [
      'tokenfactory posting 1',
      `prev ${posting.prevHash}`,
      `seq ${posting.seq}`,
      `id ${posting.id}`,
      `key ${JSON.stringify(posting.key)}`,
      `kind ${JSON.stringify(posting.kind)}`,
      `memo ${JSON.stringify(posting.memo)}`,
      `booked ${posting.bookedAtMs}`,
      ...entryLines(posting.entries),
      `facts ${posting.facts}`,
      `evidence ${posting.evidence ?? '-'}`,
      '',
    ].join('\n'),
  )
}

/** Tells a repetition from another posting under the same key. The time is left out: a repetition comes later. */
export function inputHash(input: PostingInput): string {
  return sha256(
    [
      input.kind,
      JSON.stringify(input.memo),
      ...entryLines(input.entries),
      `${input.facts}`,
      input.evidence ?? '-',
    ].join('\n'),
  )
}

/** One hash for a set of facts, whatever the order they came in: SHA-256 over their hashes (hex), sorted, each ended by LF. */
export function evidenceOf(factHashes: readonly string[]): string {
  return sha256(
    factHashes
      .toSorted()
      .map((each) => `${each}\n`)
      .join(''),
  )
}

function entryLines(entries: readonly Entry[]): string[] {
  return entries.map(({ account, amountPico }) => `entry ${account} ${amountPico}`)
}
