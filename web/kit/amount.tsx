import { useFormat, useText } from './language.tsx'
import { words } from './words.ts'

/** An exact amount of money or of a conversion table's unit. */
export function Amount({ amount, unit }: { readonly amount: bigint | string; readonly unit: string }) {
  const format = useFormat()
  if (unit === 'CNY') return <>{format.money(amount)}</>
  return (
    <>
      {format.units(amount)} <span className="cell-note wrap">{unit}</span>
    </>
  )
}

/** How much of a whole is used, in words and as a bar. */
export function Share({
  part,
  whole,
  label,
}: {
  readonly part: bigint
  readonly whole: bigint
  readonly label: string
}) {
  const format = useFormat()
  // In parts per ten thousand, so that the division stays among integers.
  const share = whole === 0n ? 0 : Number((part * 10_000n) / whole)
  return (
    <span className="share-line" title={label}>
      <span className="share">
        <i style={{ width: `${Math.min(Math.max(share, 0), 10_000) / 100}%` }} />
      </span>
      {format.percent(share, 10_000)}
    </span>
  )
}

/** When something ends, or that it does not. */
export function Until({ ms }: { readonly ms: number | null }) {
  const common = useText(words)
  const format = useFormat()
  return <>{ms === null ? common.never : format.fullDateTime(ms)}</>
}
