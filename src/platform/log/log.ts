import { pino } from 'pino'
import { scrubbed, withoutCredentials } from './model.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** One line per event: an object of fields first, then a short sentence. Fields named like secrets or prompts are hidden. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A log whose every line carries these fields as well. */
  child(fields: object): Log
}

export interface LogOptions {
  /** Which program speaks: `gateway`, `control`, … */
  readonly name: string
  readonly level: LogLevel
  /** Where lines go; standard error unless stated, because standard output belongs to what a person asked for. */
  readonly write?: (line: string) => void
}

/** The one way to make a logger: JSON lines with ISO times, scrubbed by `scrubbed`. */
export function createLog(options: LogOptions): Log {
  const { write } = options
  const logger = pino(
    {
      name: options.name,
      level: options.level,
      base: { pid: process.pid },
      // Ours has been at it already; pino's own would take the copy for something else.
      serializers: { err: (error: unknown) => error },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => scrubbed(fields) as Record<string, unknown>,
      },
    },
    write ? { write } : pino.destination({ dest: 2, sync: true }),
  )
  return wrap(logger)
}

/** For tests and for code that has nothing to say. */
export const nullLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => nullLog,
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, withoutCredentials(message)),
    info: (fields, message) => logger.info(fields, withoutCredentials(message)),
    warn: (fields, message) => logger.warn(fields, withoutCredentials(message)),
    error: (fields, message) => logger.error(fields, withoutCredentials(message)),
    child: (fields) => wrap(logger.child(scrubbed(fields) as Record<string, unknown>)),
  }
}
