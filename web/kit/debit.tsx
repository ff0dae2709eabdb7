import type { RequestRow } from '#contract'
import { useFormat, useText } from './language.tsx'
import { words } from './words.ts'

/** Whose table a bucket of tokens is kept in: `tokens:acme/standard-token`. */
export function tableOfBucket(bucket: string): string | null {
  return /^tokens:[^/]+\/(.+)$/.exec(bucket)?.[1] ?? null
}

/** The reservation of a period's bucket: `throughput:sub_1.1/in@29342880` is a dimension of `sub_1.1`. */
export function reservationOfBucket(bucket: string): string {
  return /^throughput:([^/@]+)/.exec(bucket)?.[1] ?? bucket
}

/** What a request took from a package or a reservation, in the unit that it is counted in. */
export function Debit({ draw }: { readonly draw: RequestRow['draws'][number] }) {
  const common = useText(words)
  const format = useFormat()
  const amount = draw.version === null ? format.fineMoney(draw.amount) : format.units(draw.amount)
  return (
    <div>
      {amount} <span className="cell-note">{tableOfBucket(draw.bucket) ?? common.throughput}</span>
    </div>
  )
}
