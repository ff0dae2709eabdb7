export { createBilling } from './billing.ts'
export type { Billing, BillingOptions } from './billing.ts'
export { isUscc } from './fapiao/model.ts'
export { parseFen } from './model/fen.ts'
export {
  documentReply,
  documentView,
  fapiaoView,
  lineRequestView,
  paymentView,
  refundView,
  reconcileReply,
} from './views.ts'
