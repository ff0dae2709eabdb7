import { formatFen } from '../model/fen.ts'
import type { Document, FiledLine } from '../run/model.ts'

/** All that a document prints; the same input gives the same bytes. */
export interface Printable {
  readonly document: Document
  readonly lines: readonly FiledLine[]
  /** The number of the document that this one corrects. */
  readonly corrects: string | null
}

/** An A4 page in points, and the colours. */
export const PAGE = { left: 44, right: 551, top: 44, bottom: 782 } as const
export const WIDTH = PAGE.right - PAGE.left
export const INK = '#1b2430'
export const SOFT = '#667085'
export const RULE = '#d0d5dd'
export const ACCENT = '#0b4f8a'
export const TINT = '#eef4fa'

export function money(fen: bigint): string {
  const [whole = '', fraction = ''] = formatFen(fen < 0n ? -fen : fen).split('.')
  return `${fen < 0n ? '-' : ''}${grouped(BigInt(whole))}.${fraction}`
}

export function grouped(value: bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ',')
}
