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
export type { Topup } from './bucket/service.ts'
