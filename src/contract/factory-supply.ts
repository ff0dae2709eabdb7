import * as z from 'zod'
import { parseYuan } from '#kernel'
import { CapabilityFeature } from './capability-unit.ts'
import { LimitYuan } from './factory-decimals.ts'
import { Instant } from './instant.ts'
import { ServiceName, Slug } from './scalars.ts'
import { Strategy } from './supply.ts'

/** What `factory.yaml` says of routing: who is where, what was promised, what contracts ask. */

const PPM_PER_PERCENT = 10_000

/** A part of the whole, as a percentage with at most four places; kept in millionths. */
const Percent = z
  .number()
  .min(0)
  .max(100)
  .transform((percent, context) => {
    const ppm = Math.round(percent * PPM_PER_PERCENT)
    if (Math.abs(ppm - percent * PPM_PER_PERCENT) < 1e-6) return ppm
    context.addIssue({ code: 'custom', message: 'a percentage has at most four decimal places' })
    return z.NEVER
  })

export const Regions = z.array(Slug).min(1, 'name at least one region, or leave it out').max(200).optional()

const PerMinute = z.int().min(1).max(1_000_000_000_000).optional()

/** Members of a supplier. */
export const supplierTerms = {
  region: Slug.optional(),
  requestsPerMinute: PerMinute,
  tokensPerMinute: PerMinute,
  learnLimitBy: z.enum(['rejections', 'latency']).optional(),
}

/** Members of a deployment. */
export const deploymentTerms = {
  contextTokens: z.int().min(1).max(100_000_000).optional(),
  features: z.array(CapabilityFeature).max(20).optional(),
  /** Bought under an agreement: used only while capacity that was accepted under it is in force. */
  needsLot: z.boolean().optional(),
}

const Target = z
  .strictObject({
    class: z.enum(['priority', 'standard', 'flex', 'batch']),
    ttftMs: z.int().min(1).max(3_600_000),
    tpotMs: z.int().min(1).max(60_000),
    attainmentPercent: Percent,
    /** What a missed request costs in credits. Left out or 0: five times what a request usually costs us. */
    missYuan: LimitYuan.default('0'),
  })
  .transform(({ attainmentPercent, missYuan, ...target }) => ({
    ...target,
    attainmentPpm: attainmentPercent,
    missPico: `${parseYuan(missYuan)}`,
  }))

/** Members of a service. */
export const serviceTerms = {
  sla: z.array(Target).max(4).optional(),
  regions: Regions,
}

/** Members of a tenant. */
export const tenantTerms = {
  strategy: Strategy.optional(),
  weight: z.int().min(1).max(1000).optional(),
  regions: Regions,
  seesSuppliers: z.boolean().optional(),
}

const TokenAmount = z.int().min(1).max(Number.MAX_SAFE_INTEGER)
const ofCommitment = {
  id: Slug,
  services: z.array(ServiceName).min(1, 'name the services that it counts for').max(5_000),
  from: Instant,
  to: Instant,
}

/** What a contract asks of routing; the forms of the contract's `Commitment`. */
export const FactoryCommitment = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...ofCommitment, kind: z.literal('take_or_pay'), tokens: TokenAmount }),
    z.strictObject({
      ...ofCommitment,
      kind: z.literal('share'),
      group: z.string().min(1).max(128),
      minPercent: Percent,
      maxPercent: Percent,
      lotTokens: TokenAmount,
    }),
    z.strictObject({ ...ofCommitment, kind: z.literal('reserved_rate'), tokensPerMinute: TokenAmount }),
    z.strictObject({ ...ofCommitment, kind: z.literal('cap'), tokens: TokenAmount }),
  ])
  .refine(({ from, to }) => !(from >= to), { path: ['to'], message: 'ends before it begins' })
  .refine((one) => one.kind !== 'share' || !(one.minPercent > one.maxPercent), {
    path: ['maxPercent'],
    message: 'is below minPercent',
  })
export type FactoryCommitment = z.infer<typeof FactoryCommitment>

export const FactoryLink = z
  .strictObject({
    from: Slug,
    to: Slug,
    rttMs: z.int().min(0).max(10_000),
    mebibyteYuan: LimitYuan.default('0'),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'a region is not linked with itself' })
export type FactoryLink = z.infer<typeof FactoryLink>
