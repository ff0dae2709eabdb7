import type { Transaction } from '#platform/postgres'

/** What orders do to money and means, each within the transaction of the order itself. */
export interface Money {
  openAccount(tx: Transaction, account: { tenant: string; creditLimitPico?: bigint }): Promise<unknown>
  /** Burns the wallet's lots, then credit. Throws `insufficient_balance`. */
  chargeFee(
    tx: Transaction,
    fee: {
      tenant: string
      amountPico: bigint
      taxPercent: number
      reference: string
      memo: string
      revenue: 'package' | 'reservation' | 'other'
      recognise?: { fromMs: number; toMs: number }
    },
  ): Promise<unknown>
  refundFee(
    tx: Transaction,
    refund: { reference: string; feeReference: string; amountPico: bigint; memo: string },
  ): Promise<unknown>
  grantLot(
    tx: Transaction,
    grant: {
      tenant: string
      unit: string
      source: 'package' | 'gift'
      amount: bigint
      reference: string
      priority: number
      validFromMs: number
      expiresAtMs: number | null
      netPico: bigint
      memo: string
    },
  ): Promise<unknown>
  /** Cancels what is left of a lot; `remaining` of the lot's amount was not used. */
  revokeLot(
    tx: Transaction,
    revocation: { lotReference: string; reference: string; memo: string },
  ): Promise<{ readonly granted: bigint; readonly remaining: bigint; readonly recognised: bigint }>
  putDefinition(
    tx: Transaction,
    definition: {
      id: string
      tenant: string
      kind: 'throughput'
      unit: string
      period: 'minute'
      amount: bigint
      validFromMs: number
      validToMs: number
      terms: {
        readonly services: readonly string[]
        readonly window: { readonly fromMinute: number; readonly toMinute: number } | null
        readonly overflow: 'next' | 'reject'
      }
    },
  ): Promise<unknown>
  endDefinition(tx: Transaction, end: { id: string; atMs: number }): Promise<unknown>
  putShare(tx: Transaction, share: { owner: string; member: string; fromMs: number }): Promise<unknown>
  endShare(tx: Transaction, share: { owner: string; member: string; atMs: number }): Promise<unknown>
}
