export { createLog, nullLog } from './log.ts'
export type { Log, LogLevel, LogOptions } from './log.ts'
export { scrubbed, withoutCredentials } from './model.ts'
