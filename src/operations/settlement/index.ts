export type { PenaltyProposal, SettlementDeps, StatementTerms, SupplierUsage } from './deps.ts'
export { createSettlement } from './settlement.ts'
export type { Settlement } from './settlement.ts'
export {
  discrepancyView,
  penaltyView,
  runReply,
  runView,
  settledRequestView,
  statementReply,
  statementView,
} from './views.ts'
