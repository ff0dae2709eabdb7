/** What is numbered by itself: each has its own row of numbers for each year, without gaps. */
export const DOCUMENT_KINDS = ['invoice', 'statement', 'credit_note'] as const
export type DocumentKind = (typeof DOCUMENT_KINDS)[number]

const SERIES: Readonly<Record<DocumentKind, string>> = { invoice: 'INV', statement: 'STM', credit_note: 'CRN' }

export function seriesOf(kind: DocumentKind): string {
  return SERIES[kind]
}

/** `INV-2026-000001`. Padded for the eye, and longer where a year has more. */
export function documentNumber(series: string, year: number, sequence: number): string {
  return `${series}-${year}-${sequence.toString().padStart(6, '0')}`
}
