import { parseYuan } from '#kernel'
import { invalidRequest } from './control-problems.ts'

/** A positive amount in yuan with up to twelve decimals, in pico-yuan. Throws `invalid_request`. */
export function amountOf(amountYuan: string): bigint {
  try {
    const amount = parseYuan(amountYuan)
    if (amount > 0n) return amount
  } catch {
    // Told below in the words of the API.
  }
  throw invalidRequest({
    issues: [
      { path: 'amountYuan', message: 'not a positive amount in yuan such as 100 or 0.5, with at most 12 decimals' },
    ],
  })
}
