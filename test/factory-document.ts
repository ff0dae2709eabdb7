/** One service of a test's factory, served by fake suppliers in the order given. */
export interface DeclaredService {
  readonly id: string
  /** `[supplier, model]`, best first. */
  readonly deployments: readonly (readonly [supplier: string, model: string])[]
  readonly tenants?: readonly string[]
  readonly contextTokens?: number
  readonly maxOutputTokens?: number
  readonly timeouts?: Readonly<Record<'firstByteMs' | 'idleMs' | 'totalMs', number>>
  /** Of the sell sheet, as `factory.yaml` writes them. */
  readonly variants?: readonly object[]
  /** All deployments have one priority, so that they are weighed. */
  readonly isWeighed?: boolean
  /** Further members, as `factory.yaml` writes them. */
  readonly more?: object
}

export interface DeclaredFactory {
  readonly suppliers: Readonly<
    Record<string, string | { baseUrl: string; apiKeyEnv?: string; maxConcurrency?: number }>
  >
  readonly services: readonly DeclaredService[]
  readonly tenants: readonly {
    readonly id: string
    readonly topUpYuan?: string
    readonly limits?: object
    /** Further members, as `factory.yaml` writes them. */
    readonly more?: object
  }[]
  readonly keys: readonly {
    readonly id: string
    readonly tenant: string
    readonly limits?: object
    readonly expiresAt?: string
  }[]
}

/** Yuan per million tokens in every test factory: sell and buy, uncached input and output. */
export const PRICES = { sellInput: 2n, sellOutput: 8n, buyInput: 1n, buyOutput: 4n } as const

/** A `factory.yaml` (JSON is YAML) with one price for everything. */
export function factoryDocument(it: DeclaredFactory): string {
  const sheet = (input: bigint, output: bigint) => [
    {
      validFrom: '2026-01-01',
      taxPercent: 6,
      perMillion: { uncachedInput: String(input), cacheRead: String(input), output: String(output) },
    },
  ]
  return JSON.stringify({
    suppliers: Object.entries(it.suppliers).map(([id, supplier]) => ({
      id,
      kind: 'openai-compatible',
      ...(typeof supplier === 'string' ? { baseUrl: supplier } : supplier),
    })),
    services: it.services.map((service) => ({
      id: service.id,
      ...service.more,
      contextTokens: service.contextTokens ?? 100_000,
      maxOutputTokens: service.maxOutputTokens ?? 1_000,
      tokenizer: { kind: 'bytes', bytesPerToken: 4 },
      ...(service.tenants ? { tenants: service.tenants } : {}),
      ...(service.timeouts ? { timeouts: service.timeouts } : {}),
      sell: sheet(PRICES.sellInput, PRICES.sellOutput).map((one) => ({
        ...one,
        ...(service.variants ? { variants: service.variants } : {}),
      })),
      deployments: service.deployments.map(([supplier, model], priority) => ({
        supplier,
        model,
        priority: service.isWeighed ? 0 : priority,
        buy: sheet(PRICES.buyInput, PRICES.buyOutput),
      })),
    })),
    tenants: it.tenants.map(({ id, topUpYuan, limits, more }) => ({
      id,
      ...more,
      ...(limits ? { limits } : {}),
      ...(topUpYuan ? { topups: [{ reference: `opening-${id}`, amountYuan: topUpYuan }] } : {}),
    })),
    keys: it.keys.map(({ id, tenant, limits, expiresAt }) => ({
      id,
      tenant,
      name: id,
      ...(limits ? { limits } : {}),
      ...(expiresAt ? { expiresAt } : {}),
    })),
  })
}
