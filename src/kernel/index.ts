export type { Brand } from './brand.ts'
export { REQUEST_ID, SERVICE_NAME, SLUG, sortableId } from './ids.ts'
export type { RequestId } from './ids.ts'
export {
  PICO_PER_YUAN,
  ZERO,
  formatPricePerMillion,
  formatYuan,
  netOfTax,
  parsePricePerMillion,
  parseYuan,
  pico,
} from './money.ts'
export type { Currency, Pico } from './money.ts'
export { Problem, defineProblem, toProblemJson } from './problem.ts'
export type { ProblemType } from './problem.ts'
export { parseTokenPrices, rate, upperBound } from './rating.ts'
export type { TokenPrices } from './rating.ts'
export { MAX_TOKENS_PER_CLASS, NO_TOKENS, TOKEN_CLASSES, totalTokens } from './tokens.ts'
export type { TokenClass, TokenCounts } from './tokens.ts'
export { unreachable } from './unreachable.ts'
