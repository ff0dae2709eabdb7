import { PICO_PER_FEN } from '#kernel'

/** `1234.50`. */
export function formatFen(fen: bigint): string {
  const digits = (fen < 0n ? -fen : fen).toString().padStart(3, '0')
  return `${fen < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

export function formatPicoAsFen(pico: bigint): string {
  return formatFen(pico / PICO_PER_FEN)
}
