/** What this room needs of the room that makes documents. Amounts are in fen, ids are those of documents. */
export interface Bills {
  /** Oldest first, and how many there are in all. */
  documentPage(query: BillSearch): Promise<{ readonly documents: readonly BillDocument[]; readonly total: number }>
  /** The lines of such documents, in the same order. `ids` are `<document>:<position>`. */
  linePage(query: Omit<BillSearch, 'states'>): Promise<{
    readonly lines: readonly { readonly document: BillDocument; readonly line: BillLine }[]
    readonly total: number
  }>
  /** Throws `unknown_document`. */
  document(id: string): Promise<{
    readonly document: BillDocument
    readonly lines: readonly BillLine[]
    readonly allocations: readonly { readonly source: string; readonly fen: bigint; readonly atMs: number }[]
  }>
  /** Holds an unissued document back, or issues one that was held. Throws `document_state`. */
  decide(decision: { id: string; wanted: 'sent' | 'onHold'; by: string }): Promise<unknown>
  /** The last complete month of a tenant; repeating it changes nothing. */
  run(request: { tenant: string; by: string }): Promise<{
    readonly documents: readonly BillDocument[]
    readonly failures: readonly { readonly code: string; readonly detail: string }[]
  }>
}

export interface BillSearch {
  readonly ids?: readonly string[]
  readonly tenants?: readonly string[]
  readonly states?: readonly string[]
  readonly offset: number
  readonly limit: number
}

interface Amounts {
  readonly grossFen: bigint
  readonly netFen: bigint
  readonly taxFen: bigint
  readonly dueFen: bigint
}

export interface BillDocument extends Amounts {
  readonly id: string
  readonly kind: string
  readonly tenant: string
  /** `2026-10` */
  readonly period: string
  readonly state: string
  readonly number: string | null
  readonly coveredFen: bigint
  readonly buyer: { readonly name: string }
  readonly createdAtMs: number
  readonly issuedAtMs: number | null
  readonly dueAtMs: number | null
}

export interface BillLine extends Amounts {
  readonly position: number
  readonly period: string
  readonly description: string
  readonly service: string | null
  readonly requests: number
  readonly tokens: bigint
  readonly taxPercent: number
}
