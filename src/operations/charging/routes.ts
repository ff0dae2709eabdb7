import { CloseRequest, GatewayId, GrantRequest, RegisterRequest, UsageRecord } from '#contract'
import { Problem, toProblemJson } from '#kernel'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as z from 'zod'
import type { Charging } from './charging.ts'
import { invalidRequest, requestTooLarge } from './problems.ts'

/** 500 records of 16 KiB: far above what a gateway writes, far below what hurts. */
const MAX_BODY_BYTES = 8 * 1024 * 1024
const MAX_RECORDS = 500

const Envelope = z.object({ gateway: GatewayId, records: z.array(z.unknown()).min(1).max(MAX_RECORDS) })

/**
 * What gateways call, to be mounted at `/internal/v1` behind the installation's internal token. Problems that are not charging's
 * own are passed on to the app it is mounted in.
 */
export function chargingInternalRoutes(charging: Charging): Hono {
  const app = new Hono()
  app.onError((error, context) => {
    if (error instanceof Problem) return problem(context, error)
    throw error
  })
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (context) => problem(context, requestTooLarge({ maxBytes: MAX_BODY_BYTES })),
    }),
  )
  app.post('/gateways/register', async (context) => {
    return context.json(await charging.register(await body(context, RegisterRequest)))
  })
  app.post('/slices/grant', async (context) => context.json(await charging.grant(await body(context, GrantRequest))))
  app.post('/slices/close', async (context) => context.json(await charging.close(await body(context, CloseRequest))))
  app.get('/slices', async (context) =>
    context.json(await charging.openSlices(parse(RegisterRequest, context.req.query(), 'query'))),
  )
  app.post('/usage', async (context) => {
    const { gateway, records } = await body(context, Envelope)
    return context.json(await charging.ingest({ gateway, ...sift(records) }))
  })
  return app
}

/** One record that is none must not hold up the others for ever, so it is kept aside instead of refusing the batch. */
function sift(values: readonly unknown[]): { records: UsageRecord[]; malformed: { id: string; text: string }[] } {
  const records: UsageRecord[] = []
  const malformed: { id: string; text: string }[] = []
  for (const value of values) {
    const parsed = UsageRecord.safeParse(value)
    if (parsed.success) records.push(parsed.data)
    else malformed.push({ id: claimedId(value), text: JSON.stringify(value) })
  }
  return { records, malformed }
}

function claimedId(value: unknown): string {
  const id: unknown = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
  return typeof id === 'string' && /^[!-~]{1,128}$/.test(id) ? id : 'unreadable'
}

async function body<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.infer<Schema>> {
  const value: unknown = await context.req.json().catch(() => {
    throw invalidRequest({ issues: ['the body is not JSON'] })
  })
  return parse(schema, value, 'body')
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.infer<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalidRequest({
    issues: parsed.error.issues.slice(0, 20).map((issue) => `${[where, ...issue.path].join('.')}: ${issue.message}`),
  })
}

function problem(context: Context, error: Problem): Response {
  return context.body(JSON.stringify(toProblemJson(error, context.req.path)), error.type.status as 400, {
    'content-type': 'application/problem+json',
  })
}
