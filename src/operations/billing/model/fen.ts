/** `123456n` → `1234.56`. */
export function formatFen(fen: bigint): string {
  const digits = (fen < 0n ? -fen : fen).toString().padStart(3, '0')
  return `${fen < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** `1234.5` → `123450n`. Throws `RangeError` on anything but a plain amount of yuan with at most two decimals. */
export function parseFen(text: string): bigint {
  const match = /^(-?)(\d{1,15})(?:\.(\d{1,2}))?$/.exec(text)
  if (!match) throw new RangeError(`not an amount in yuan and fen: ${JSON.stringify(text.slice(0, 40))}`)
  const [, sign, whole = '', fraction = ''] = match
  const fen = BigInt(whole + fraction.padEnd(2, '0'))
  return sign ? -fen : fen
}
