export { createCharging } from './charging.ts'
export type {
  Charging,
  ChargingDeps,
  FiledSheet,
  FiledWeights,
  RatingSources,
  SheetById,
  WeightsOf,
} from './charging.ts'
export type { IngestBatch, IngestReply } from './ingest/service.ts'
export { chargingInternalRoutes } from './routes.ts'
export type { UsageQuery } from './usage/service.ts'
export type { AccountName, AccountTerms } from './bucket/accounts.ts'
export { walletOf } from './bucket/model.ts'
export type { Topup } from './bucket/service.ts'
export type { Bucket } from './bucket/store.ts'
export type { Transfer, Withdrawal } from './bucket/transfer.ts'
export type { Rerate } from './corrections/rerate.ts'
export type { Corrected } from './corrections/service.ts'
export type { Correction, UsageFilter } from './corrections/store.ts'
export type { Definition, ReservationTerms } from './definitions/model.ts'
export type { Standing } from './definitions/standing.ts'
export type { FeeRefund, FeeRequest } from './fees/service.ts'
export type { Funding } from './funding/service.ts'
export type { LotGrant, Revocation, Revoked } from './lots/service.ts'
export type { LotRow } from './lots/store.ts'
export { supplierCosts } from './feed/costs-store.ts'
export {
  bookedCorrections,
  bookedRecords,
  feesBehind,
  recordsCompleted,
  usageAsWritten,
  usageCells,
} from './feed/store.ts'
export type { BookedRecord, FeeFact, UsageCell, WrittenUsage } from './feed/model.ts'
export type { Share } from './shares/model.ts'
