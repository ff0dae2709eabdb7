export { createAdmission } from './admission.ts'
export type { Admission, Quota, Standing, Ticket } from './admission.ts'
export { createLimitTable, openLimits } from './limit-table.ts'
export type { LimitTable, Limits, Slot } from './limit-table.ts'
