import { defineProblem, formatYuan, type Problem } from '#kernel'
import type { Refusal } from './types.ts'

export const insufficientBalance = defineProblem<{ needed: string; available: string }>({
  code: 'insufficient_balance',
  status: 402,
  title: 'Insufficient balance',
  retryable: false,
  detail: ({ needed, available }) =>
    `This request may cost up to ${needed} CNY, but only ${available} CNY is available.`,
})

export const chargingUnavailable = defineProblem({
  code: 'charging_unavailable',
  status: 503,
  title: 'Charging is unavailable',
  retryable: true,
  detail: () => 'The balance cannot be checked at the moment. Try again shortly.',
})

export const tooManyWaiting = defineProblem({
  code: 'too_many_waiting',
  status: 503,
  title: 'Too many requests are waiting for a balance check',
  retryable: true,
  detail: () => 'Too many requests of this tenant are waiting for a balance check. Try again shortly.',
})

/** What the client hears when its wallet could not give what was needed. */
export function walletProblem({ refused, needed, available }: Refusal): Problem {
  if (refused === 'charging_unavailable') return chargingUnavailable({})
  if (refused === 'too_many_waiting') return tooManyWaiting({})
  return insufficientBalance({ needed: formatYuan(needed), available: formatYuan(available) })
}
