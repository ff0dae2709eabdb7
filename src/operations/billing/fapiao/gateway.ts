import type { FapiaoRequest } from './model.ts'

/** `refused` needs somebody to change something; `unavailable` can be tried again as it is. */
export type Refusal =
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'unavailable'; readonly reason: string }

/**
 * What a tax platform does for us. Every call may be repeated with the same ids and then has the same outcome, because an answer
 * may get lost after the platform has acted. Implemented by the simulator; a real connection needs the platform's admission.
 */
export interface FapiaoGateway {
  issue(request: FapiaoRequest): Promise<{ readonly outcome: 'issued'; readonly number: string } | Refusal>
  /** Files the red-letter information form (红字发票信息确认单) that must come before a reversal. */
  requestRed(request: {
    readonly requestId: string
    readonly number: string
    readonly reason: string
  }): Promise<{ readonly outcome: 'requested'; readonly confirmation: string } | Refusal>
  /** Whether the other side has confirmed the form. */
  redStatus(confirmation: string): Promise<{ readonly outcome: 'confirmed' | 'waiting' } | Refusal>
  issueRed(confirmation: string): Promise<{ readonly outcome: 'issued'; readonly number: string } | Refusal>
}
