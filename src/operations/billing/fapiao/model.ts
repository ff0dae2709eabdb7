import { taxInGross } from '#kernel'
import { chineseAmount } from '../model/chinese-amount.ts'
import { formatFen, parseFen } from '../model/fen.ts'
import type { LineLeft } from '../run/left.ts'
import type { Document, FiledLine, Party } from '../run/model.ts'

/**
 * What we ask a tax platform for, in our own words: there is no public schema for third parties, and none is claimed. Amounts are
 * decimal yuan with two places; `amount` is without tax.
 */
export interface FapiaoRequest {
  readonly schema: 'tokenfactory/fapiao-request/1'
  /** Asking again with the same id gives the same invoice. */
  readonly requestId: string
  /** `special` can be deducted by the buyer, who then must be named with its tax number. */
  readonly kind: FapiaoKind
  readonly seller: FapiaoParty
  readonly buyer: FapiaoParty
  readonly lines: readonly {
    readonly name: string
    readonly amount: string
    readonly taxPercent: number
    readonly tax: string
  }[]
  readonly totals: {
    readonly amount: string
    readonly tax: string
    readonly gross: string
    readonly grossInWords: string
  }
  readonly remark: string
}

export type FapiaoKind = 'ordinary' | 'special'

export interface FapiaoParty {
  readonly name: string
  readonly taxNumber: string | null
  readonly address: string | null
  readonly phone: string | null
  readonly bank: string | null
  readonly bankAccount: string | null
}

export const FAPIAO_STATES = ['requested', 'issued', 'failed', 'redRequested', 'redConfirmed', 'redIssued'] as const
export type FapiaoState = (typeof FAPIAO_STATES)[number]

const NEXT: Readonly<Record<FapiaoState, readonly FapiaoState[]>> = {
  requested: ['issued', 'failed'],
  failed: [],
  issued: ['redRequested'],
  redRequested: ['redConfirmed'],
  redConfirmed: ['redIssued'],
  redIssued: [],
}

export function fapiaoMayBecome(from: FapiaoState, to: FapiaoState): boolean {
  return NEXT[from].includes(to)
}

/** Whether a tax invoice counts, or may still come to: until it is refused or reversed. */
export function isLive({ state }: { readonly state: FapiaoState }): boolean {
  return state !== 'failed' && state !== 'redIssued'
}

/** A line as it is invoiced: what corrections and credits have left of it. */
export function invoiceable({ line, grossFen, grantedFen }: LineLeft): FiledLine {
  const leftFen = grossFen - grantedFen
  return leftFen === line.grossFen ? line : { ...line, ...taxInGross(leftFen, line.taxPercent) }
}

/** The classification under which usage and plans of AI services are invoiced, as it is printed between asterisks. */
const CATEGORY = '*信息技术服务*'

export function fapiaoRequest(
  { document, lines, kind }: { document: Document; lines: readonly FiledLine[]; kind: FapiaoKind },
  requestId: string,
): FapiaoRequest {
  const billed = lines.filter((line) => line.grossFen !== 0n)
  const sum = (name: 'netFen' | 'taxFen' | 'grossFen') => billed.reduce((total, line) => total + line[name], 0n)
  return {
    schema: 'tokenfactory/fapiao-request/1',
    ...{ requestId, kind },
    seller: partyOf(document.seller),
    buyer: partyOf(document.buyer),
    lines: billed.map((line) => ({
      name: `${CATEGORY}${line.description}`,
      amount: formatFen(line.netFen),
      taxPercent: line.taxPercent,
      tax: formatFen(line.taxFen),
    })),
    totals: {
      amount: formatFen(sum('netFen')),
      tax: formatFen(sum('taxFen')),
      gross: formatFen(sum('grossFen')),
      grossInWords: chineseAmount(sum('grossFen')),
    },
    remark: document.number ?? document.id,
  }
}

function partyOf({ name, uscc, address, phone, bank, bankAccount }: Party): FapiaoParty {
  return { name, taxNumber: uscc, address, phone, bank, bankAccount }
}

/** Why a platform would not take a request, if it would not. Line sums equal the totals (合计金额, 合计税额, 价税合计). */
export function flawOfRequest({ kind, seller, buyer, lines, totals }: FapiaoRequest): string | undefined {
  const [amount, tax, gross] = [parseFen(totals.amount), parseFen(totals.tax), parseFen(totals.gross)]
  const sum = (name: 'amount' | 'tax') => lines.reduce((total, line) => total + parseFen(line[name]), 0n)
  if (lines.length === 0 || gross <= 0n) return 'there is nothing to invoice'
  if (lines.some((line) => parseFen(line.amount) + parseFen(line.tax) <= 0n)) return 'a line is not above zero'
  if (sum('amount') !== amount || sum('tax') !== tax || amount + tax !== gross)
    return 'the lines do not sum to the totals'
  if (totals.grossInWords !== chineseAmount(gross)) return 'the amount in words is another one'
  if (seller.taxNumber === null || !isUscc(seller.taxNumber)) return 'the seller has no valid tax number'
  if (buyer.taxNumber !== null && !isUscc(buyer.taxNumber)) return 'the tax number of the buyer is not valid'
  if (kind === 'special' && buyer.taxNumber === null) return 'a special invoice needs the tax number of the buyer'
  return undefined
}

const USCC_DIGITS = '0123456789ABCDEFGHJKLMNPQRTUWXY'

/** Unified social credit code with its check character (GB 32100-2015: weights 3^i mod 31). */
export function isUscc(text: string): boolean {
  if (!/^[0-9A-HJ-NP-RTUW-Y]{18}$/.test(text)) return false
  let [sum, weight] = [0, 1]
  for (const sign of text.slice(0, 17)) {
    sum += USCC_DIGITS.indexOf(sign) * weight
    weight = (weight * 3) % 31
  }
  return USCC_DIGITS[(31 - (sum % 31)) % 31] === text[17]
}
