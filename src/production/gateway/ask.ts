import type { Ask } from '#scheduler'
import type { Line } from './directory.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'

/** Bytes of a request per token: between English, Chinese and the JSON around them. Nothing is refused or charged by it alone. */
const BYTES_PER_TOKEN = 4
/** What an answer is taken for before anything is known of the tenant's. */
const FIRST_OUTPUT_TOKENS = 256

const NO_NEEDS: Ask['needs'] = []

/** What the input will probably be, where `inputBound` is what it can be. */
export function inputEstimate({ request }: Flight): number {
  return Math.ceil(request.body.length / BYTES_PER_TOKEN)
}

/** The request as the scheduler sees it. */
export function askOf(flight: Flight, gateway: Gateway, tried: readonly Line[]): Ask {
  const { caller, service, tier } = flight
  return {
    service: service.id,
    slaClass: tier,
    strategy: caller.strategy,
    tenant: caller.tenant,
    inputTokens: inputEstimate(flight),
    expectedOutputTokens: Math.min(flight.outputBound, FIRST_OUTPUT_TOKENS),
    prefixKey: undefined,
    needs: NO_NEEDS,
    regions: caller.regions,
    nowMs: gateway.nowMs(),
    acceptedAtMs: flight.acceptedAtMs,
    tried,
  }
}
