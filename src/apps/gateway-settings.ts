import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { CLASS_POLICIES, withPolicies } from '#admission'
import type { ClassPolicies } from '#admission'
import { ServiceTier, Slug } from '#contract'
import { HttpUrl, Port, PositiveInt, readConfig } from '#platform/config'

const SHIPPED_MODEL = 'babbler-q8_0.gguf'

const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number)

/** How long running answers may go on after a stop. An hour is far below what a timer can hold. */
export const DrainSeconds = PositiveInt.refine((seconds) => seconds <= 3600, 'must be at most 3600').default(20)

/** `class=number` pairs with commas between them. */
function classNumbers(value: z.ZodNumber) {
  return z
    .string()
    .default('')
    .transform((text, context) => {
      const numbers: Partial<Record<ServiceTier, number>> = {}
      for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
        const [name, number] = pair.split('=').map((part) => part.trim())
        const tier = ServiceTier.safeParse(name)
        const parsed = value.safeParse(Number(number === '' ? Number.NaN : number))
        if (tier.success && parsed.success) numbers[tier.data] = parsed.data
        else context.addIssue({ code: 'custom', message: `${pair.trim()} is not a class with a fitting number` })
      }
      return numbers
    })
}

const schema = z.object({
  /** 0 takes any free port. */
  GATEWAY_PORT: z.union([z.literal('0').transform(Number), Port]).default(8080),
  GATEWAY_HOST: z.string().default('127.0.0.1'),
  GATEWAY_WORKERS: PositiveInt.optional(),
  CONTROL_URL: HttpUrl.default('http://127.0.0.1:8081'),
  DATA_DIR: z.string().default('./data'),
  /** The embedded engine's model, for recounting with its vocabulary. */
  MODEL_FILE: z.string().optional(),
  /** Browser origins that may call, separated by commas; the console's own unless told. */
  ALLOWED_ORIGINS: z.string().optional(),
  MAX_BODY_BYTES: PositiveInt.default(16_777_216),
  MAX_ANSWER_BYTES: PositiveInt.default(67_108_864),
  MAX_CONNECTIONS: PositiveInt.default(20_000),
  RECOUNTS_PER_SECOND: wholeNumber.default(5),
  /** Where this gateway stands, for the network distance to suppliers; a region of the factory's file. */
  GATEWAY_REGION: Slug.optional(),
  /** How full suppliers may be for a class, `standard=0.9,flex=0.8`; what is not named keeps its default. */
  CLASS_CEILINGS: classNumbers(z.number().min(0.05).max(1)),
  /** How many requests of one service may wait in a class and worker, `standard=200,batch=0`. */
  CLASS_QUEUES: classNumbers(z.int().min(0).max(100_000)),
  DRAIN_SECONDS: DrainSeconds,
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

/** Settings of a gateway process, as plain data that can be handed to its worker threads. */
export interface GatewaySettingsFile {
  readonly port: number
  readonly host: string
  readonly workers: number
  readonly controlUrl: string
  readonly journalDir: string
  readonly internalTokenFile: string
  readonly modelRoot: string
  readonly embeddedModelFile: string
  readonly allowedOrigins: readonly string[]
  readonly maxBodyBytes: number
  readonly maxAnswerBytes: number
  readonly maxConnections: number
  readonly recountsPerSecond: number
  readonly region: string | undefined
  readonly classes: ClassPolicies
  readonly drainMs: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

export function readGatewaySettings(env: NodeJS.ProcessEnv, modelRoot: string): GatewaySettingsFile {
  const read = readConfig(schema, env)
  return {
    port: read.GATEWAY_PORT,
    host: read.GATEWAY_HOST,
    // Sharing one port between threads needs SO_REUSEPORT with load balancing, which only Linux has.
    workers: process.platform === 'linux' ? (read.GATEWAY_WORKERS ?? availableParallelism()) : 1,
    controlUrl: read.CONTROL_URL,
    journalDir: join(read.DATA_DIR, 'journal'),
    internalTokenFile: join(read.DATA_DIR, 'internal-token'),
    modelRoot,
    embeddedModelFile: resolve(read.MODEL_FILE ?? join(modelRoot, SHIPPED_MODEL)),
    allowedOrigins: read.ALLOWED_ORIGINS?.split(',').map((origin) => origin.trim()) ?? consoleOrigins(read.CONTROL_URL),
    maxBodyBytes: read.MAX_BODY_BYTES,
    maxAnswerBytes: read.MAX_ANSWER_BYTES,
    maxConnections: read.MAX_CONNECTIONS,
    recountsPerSecond: read.RECOUNTS_PER_SECOND,
    region: read.GATEWAY_REGION,
    classes: withPolicies(CLASS_POLICIES, { ceilings: read.CLASS_CEILINGS, queues: read.CLASS_QUEUES }),
    drainMs: read.DRAIN_SECONDS * 1000,
    logLevel: read.LOG_LEVEL,
  }
}

/** The console is served by the control plane, and people reach this machine by either name. */
function consoleOrigins(controlUrl: string): string[] {
  const url = new URL(controlUrl)
  const origins = [url.origin]
  if (url.hostname === '127.0.0.1') origins.push(`${url.protocol}//localhost:${url.port}`)
  return origins
}
