import { hash } from 'node:crypto'
import type { Amounts, Line } from '../model/lines.ts'
import type { DocumentKind } from '../model/number.ts'
import type { DocumentState, DunningStage } from '../model/states.ts'

/** Who sells, or who buys. What documents print about a party. */
export interface Party {
  readonly name: string
  /** Unified social credit code (统一社会信用代码), the tax number: 18 characters. */
  readonly uscc: string | null
  readonly address: string | null
  readonly phone: string | null
  readonly bank: string | null
  readonly bankAccount: string | null
  readonly email: string | null
  /** Days after issue within which it is to be paid; a buyer's. */
  readonly termsDays: number
}

export interface Document extends Amounts {
  readonly id: string
  readonly kind: DocumentKind
  readonly tenant: string
  readonly period: string
  readonly corrects: string | null
  readonly reason: string | null
  readonly state: DocumentState
  readonly number: string | null
  /** What payments and credit notes cover of `dueFen`; on a credit note, what of it was set against other documents. */
  readonly coveredFen: bigint
  readonly seller: Party
  readonly buyer: Party
  readonly postingId: string | null
  readonly createdAtMs: number
  readonly issuedAtMs: number | null
  readonly dueAtMs: number | null
  readonly dunning: DunningStage
}

/** A line as it is kept: of a charge, or a credit on another line. */
export interface FiledLine extends Amounts {
  readonly document: string
  readonly position: number
  readonly charge: string | null
  readonly revision: number | null
  readonly grossPico: bigint
  readonly requests: number
  readonly tokens: bigint
  readonly fromSeq: number
  readonly toSeq: number
  readonly credits: { readonly document: string; readonly position: number } | null
  readonly period: string
  readonly description: string
  readonly service: string | null
  readonly sheet: string | null
  readonly taxPercent: number
}

/** The same for the same, so a repetition finds what it made. */
export function documentId(...of: readonly (string | number)[]): string {
  return `doc_${hash('sha256', JSON.stringify(of), 'hex').slice(0, 24)}`
}

/** Due amounts make an invoice. What the wallet has paid already is a statement. */
export function kindOf(lines: readonly Line[]): DocumentKind {
  return lines.some((line) => line.to.creditPico > line.from.creditPico) ? 'invoice' : 'statement'
}
