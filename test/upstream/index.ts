export { NAMED_BEHAVIOURS, type Behaviour, type ReportedUsage } from './behaviour.ts'
export type { Received } from './request-reader.ts'
export { startUpstream, type Upstream } from './server.ts'
