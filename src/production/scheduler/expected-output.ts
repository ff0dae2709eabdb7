const GAIN = 0.05
const FIRST_TOKENS = 256
const MOST_ROUTES = 10_000

/** How long answers are for a tenant and a service: EWMA of the logarithm, because lengths are skewed (scheduling reference §2.2). */
export interface ExpectedOutputs {
  tokens(tenant: string, service: string): number
  learn(tenant: string, service: string, tokens: number): void
}

export function createExpectedOutputs(): ExpectedOutputs {
  const lnTokens = new Map<string, number>()
  return {
    tokens: (tenant, service) => Math.exp(lnTokens.get(`${tenant} ${service}`) ?? Math.log(FIRST_TOKENS)),
    learn(tenant, service, tokens) {
      const route = `${tenant} ${service}`
      const known = lnTokens.get(route)
      const sample = Math.log(Math.max(1, tokens))
      // Forgetting everything now and then is cheaper than remembering who was last, and costs a few requests' precision.
      if (known === undefined && lnTokens.size >= MOST_ROUTES) lnTokens.clear()
      lnTokens.set(route, known === undefined ? sample : known + GAIN * (sample - known))
    },
  }
}
