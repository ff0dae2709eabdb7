import * as z from 'zod'
import { ApiError, readRefusal } from '../../kit/api.ts'
import type { ChatBody } from '../../kit/snippets.ts'

const Units = z.object({ table: z.string(), unitsAtMost: z.string() })

/** What a call would cost at most, and who would pay in which order: the gateway's own bound, by which it also holds. */
export const PricePreview = z.object({
  tier: z.string(),
  bound: z.object({ inputTokens: z.number(), outputTokens: z.number() }),
  atMost: z.object({ chargePico: z.string().regex(/^\d+$/) }),
  means: z.array(
    z.object({
      kind: z.string(),
      id: z.string().optional(),
      payer: z.string().optional(),
      table: z.string().optional(),
      unitsAtMost: z.string().optional(),
      dimensions: z.array(Units).optional(),
      yuanAtMost: z.string().optional(),
    }),
  ),
})
export type PricePreview = z.infer<typeof PricePreview>

export async function askPrice(call: {
  readonly gatewayUrl: string
  readonly key: string
  readonly body: ChatBody
}): Promise<PricePreview> {
  const response = await fetch(`${call.gatewayUrl}/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${call.key}`,
      'content-type': 'application/json',
      'x-factory-dry-run': 'price',
    },
    body: JSON.stringify(call.body),
    credentials: 'omit',
  }).catch((cause: unknown) => {
    throw new ApiError({ code: 'gateway_unreachable', status: 0, detail: String(cause), cause })
  })
  if (!response.ok) throw await readRefusal(response)
  return PricePreview.parse(await response.json())
}
