import * as z from 'zod'
import { FactoryCalendar } from './factory-calendar.ts'
import { AmountYuan, LimitYuan } from './factory-decimals.ts'
import { FactorySheet, FactoryTable } from './factory-prices.ts'
import {
  FactoryCommitment,
  FactoryLink,
  deploymentTerms,
  serviceTerms,
  supplierTerms,
  tenantTerms,
} from './factory-supply.ts'
import { Instant } from './instant.ts'
import { FactoryOffer } from './offer.ts'
import { ServiceName, Slug } from './scalars.ts'
import { Limits } from './snapshot.ts'
import type { TokenizerSpec } from './snapshot.ts'

/**
 * `factory.yaml`: what an operator declares. Strict everywhere, because a misspelt limit that is silently ignored is a limit
 * that does not exist. Objects that the file does not name are left as they are.
 */

/** Lets a rule between two fields speak even where another field is wrong: all mistakes are reported at once. */
const isObject = ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null

const BaseUrl = z
  .string()
  .max(512)
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const isPlain =
      url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
    if (isPlain) return text.replace(/\/+$/, '')
    context.addIssue({
      code: 'custom',
      message:
        'not an http or https base URL such as https://api.example.com/v1, without credentials, query or fragment',
    })
    return z.NEVER
  })

export const FactorySupplier = z
  .strictObject({
    id: Slug,
    name: z.string().min(1).max(128).optional(),
    kind: z.enum(['embedded', 'openai-compatible']),
    /** Up to and including the version path. The embedded engine needs none: it is told where it listens when it starts. */
    baseUrl: BaseUrl.optional(),
    apiKeyEnv: z
      .string()
      .regex(
        /^[A-Z_][A-Z0-9_]{0,127}$/,
        'write the NAME of an environment variable such as DEEPSEEK_API_KEY, never the key itself',
      )
      .nullable()
      .optional(),
    maxConcurrency: z.int().min(1).max(100_000).default(64),
    maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
    ...supplierTerms,
    commitments: z.array(FactoryCommitment).max(100).default([]),
  })
  .refine((supplier) => supplier.kind !== 'openai-compatible' || supplier.baseUrl !== undefined, {
    path: ['baseUrl'],
    message: 'a supplier of kind openai-compatible needs a baseUrl',
    when: isObject,
  })
  .refine((supplier) => supplier.kind !== 'embedded' || supplier.baseUrl === undefined, {
    path: ['baseUrl'],
    message: 'the embedded engine is found by itself: leave baseUrl out',
    when: isObject,
  })
export type FactorySupplier = z.infer<typeof FactorySupplier>

export const FactoryDeployment = z.strictObject({
  supplier: Slug,
  /** The supplier's own name for the model. */
  model: z.string().min(1).max(256),
  /** Lower is tried first. */
  priority: z.int().min(0).max(1000).default(100),
  ...deploymentTerms,
  buy: z.array(FactorySheet).min(1, 'needs at least one price sheet: what the supplier charges us, if only 0').max(500),
})
export type FactoryDeployment = z.infer<typeof FactoryDeployment>

/** Which vocabulary recounts the service's tokens; the shape of the contract's TokenizerSpec, without room for misspelt fields. */
const Tokenizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedded') }),
  z.strictObject({ kind: z.literal('gguf'), file: z.string().min(1).max(1024) }),
  z.strictObject({ kind: z.literal('tiktoken'), encoding: z.enum(['o200k_base', 'cl100k_base']) }),
  z.strictObject({ kind: z.literal('bytes'), bytesPerToken: z.number().min(1).max(8) }),
]) satisfies z.ZodType<TokenizerSpec>

const TimeoutMs = z.int().min(100).max(86_400_000)

export const FactoryService = z
  .strictObject({
    id: ServiceName,
    name: z.string().min(1).max(128).optional(),
    contextTokens: z.int().min(1).max(100_000_000),
    maxOutputTokens: z.int().min(1).max(100_000_000),
    tokenizer: Tokenizer,
    /** Left out or empty: every tenant may use the service. */
    tenants: z.array(Slug).max(10_000).default([]),
    ...serviceTerms,
    timeouts: z
      .strictObject({
        firstByteMs: TimeoutMs.default(60_000),
        idleMs: TimeoutMs.default(60_000),
        /** Charging takes what is older for lost: `longestRequestMs`. */
        totalMs: TimeoutMs.max(3_600_000).default(900_000),
      })
      .prefault({}),
    /** A request whose first token is late is sent to a second supplier as well: at most one in twenty, never flex or batch. */
    hedge: z.boolean().default(false),
    sell: z.array(FactorySheet).min(1, 'needs at least one price sheet').max(500),
    deployments: z.array(FactoryDeployment).min(1, 'needs at least one deployment').max(50),
  })
  .refine((service) => !(service.maxOutputTokens > service.contextTokens), {
    path: ['maxOutputTokens'],
    message: 'is above contextTokens',
    when: isObject,
  })
export type FactoryService = z.infer<typeof FactoryService>

const StrictLimits = Limits.strict()

/** Hard caps on what is spent in money per day and calendar month in China. Left out: no cap. */
const Budgets = z.strictObject({ dayYuan: LimitYuan.optional(), monthYuan: LimitYuan.optional() })
export type Budgets = z.infer<typeof Budgets>

const Reference = z.string().min(1).max(128)

export const FactoryTenant = z.strictObject({
  id: Slug,
  name: z.string().min(1).max(128).optional(),
  /** `restricted`: only what is paid for already (tokens, reservations) is served. */
  status: z.enum(['active', 'restricted', 'suspended']).default('active'),
  limits: StrictLimits.prefault({}),
  ...tenantTerms,
  /**
   * How far the wallet may go below zero: a postpaid tenant. Left out: as it is, for it may have come with an order. `mode` says what becomes of money that a lost gateway held: with `strict`
   * it stays set aside until its records or an operator come, with `available` it is given back by itself.
   */
  credit: z.strictObject({ limitYuan: LimitYuan, mode: z.enum(['strict', 'available']).default('strict') }).optional(),
  budgets: Budgets.prefault({}),
  projects: z
    .array(z.strictObject({ id: Slug, name: z.string().min(1).max(128).optional(), budgets: Budgets.prefault({}) }))
    .max(1_000)
    .default([]),
  /** Payments received into the wallet. `reference` is the payment's id: applying it again posts nothing. */
  topups: z
    .array(z.strictObject({ reference: Reference, amountYuan: AmountYuan }))
    .max(10_000)
    .default([]),
  /** Money that was given: used up before what was paid, and gone when it expires. `reference` as of a payment. */
  gifts: z
    .array(
      z.strictObject({ reference: Reference, amountYuan: AmountYuan, expiresAt: Instant.nullable().default(null) }),
    )
    .max(10_000)
    .default([]),
  /** Tenants that may pay with this one's wallet: a family, the departments of a company. */
  sharesWith: z.array(Slug).max(1_000).default([]),
})
export type FactoryTenant = z.infer<typeof FactoryTenant>

export const FactoryKey = z.strictObject({
  id: Slug,
  tenant: Slug,
  name: z.string().min(1).max(64).optional(),
  /** One of the tenant's projects, whose budgets then hold beside those of the key. */
  project: Slug.nullable().default(null),
  limits: StrictLimits.prefault({}),
  budgets: Budgets.prefault({}),
  expiresAt: Instant.nullable().default(null),
})
export type FactoryKey = z.infer<typeof FactoryKey>

export const FactoryFile = z.strictObject({
  calendars: z.array(FactoryCalendar).max(100).default([]),
  suppliers: z.array(FactorySupplier).max(1_000).default([]),
  links: z.array(FactoryLink).max(10_000).default([]),
  services: z.array(FactoryService).max(5_000).default([]),
  tables: z.array(FactoryTable).max(200).default([]),
  offers: z.array(FactoryOffer).max(2_000).default([]),
  tenants: z.array(FactoryTenant).max(20_000).default([]),
  keys: z.array(FactoryKey).max(20_000).default([]),
})
export type FactoryFile = z.infer<typeof FactoryFile>

/** One thing wrong with the file. `line` and `column` count from 1; `path` is like `services[0].sell[1].validFrom`. */
export const FactoryMistake = z.object({
  file: z.string(),
  line: z.int(),
  column: z.int(),
  path: z.string(),
  message: z.string(),
})
export type FactoryMistake = z.infer<typeof FactoryMistake>

/** POST /apply. `document` is the file's source text, so that mistakes can name lines. */
export const ApplyRequest = z.strictObject({
  document: z.string(),
  fileName: z.string().min(1).max(512).optional(),
  dryRun: z.boolean().optional(),
})
