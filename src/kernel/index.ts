export type { Brand } from './brand.ts'
export {
  DAY_MS,
  addMonths,
  chinaDate,
  chinaMidnightMs,
  dateOfDay,
  dayNumber,
  isPeak,
  isWeekend,
  parseCalendars,
  periodAt,
  periodOfKey,
} from './calendar.ts'
export type { Calendars, DateText, Holidays, PeakTimes, Period, PeriodKind } from './calendar.ts'
export { REQUEST_ID, SERVICE_NAME, SLUG, reservationTableId, sortableId } from './ids.ts'
export type { RequestId } from './ids.ts'
export {
  PICO_PER_YUAN,
  ZERO,
  formatPricePerMillion,
  formatUnits,
  formatYuan,
  parsePricePerMillion,
  parseUnits,
  parseYuan,
  pico,
} from './money.ts'
export type { Currency, Pico } from './money.ts'
export { dearestBound, dearestPrices, isShadowed, parsePriceSheet, pricesFor, scalePrices, tiersOf } from './pricing.ts'
export type { PricedMoment, PricedSheet, PricesInForce, SheetTerms, Tier, VariantCondition } from './pricing.ts'
export { Problem, defineProblem, toProblemJson } from './problem.ts'
export type { ProblemType } from './problem.ts'
export { parseTokenPrices, rate, upperBound } from './rating.ts'
export type { TokenPrices } from './rating.ts'
export {
  PICO_PER_FEN,
  divideHalfEven,
  divideHalfUp,
  fenToPico,
  nextDocumentFen,
  prorate,
  roundToFen,
  splitByWeight,
  stepPart,
} from './rounding.ts'
export type { Weighted } from './rounding.ts'
export { grossOfTax, netOfTax, taxInGross, taxOnNet } from './tax.ts'
export type { TaxedFen } from './tax.ts'
export { MAX_TOKENS_PER_CLASS, NO_TOKENS, TOKEN_CLASSES, totalTokens } from './tokens.ts'
export type { TokenClass, TokenCounts } from './tokens.ts'
export { unreachable } from './unreachable.ts'
