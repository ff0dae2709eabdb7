import type { Supplier } from '#contract'
import { createHttpClient, headerLine } from '#platform/http'
import type { HttpClient } from '#platform/http'
import type { Slot } from '#admission'

/** A supplier as the gateway calls it: an open pool and everything of a request's head that never changes. */
export interface SupplierLine {
  readonly id: string
  readonly client: HttpClient
  readonly target: string
  readonly head: string
  readonly hasCredentials: boolean
  readonly slot: Slot
  readonly maxConcurrency: number
  readonly maxTokensField: Supplier['maxTokensField']
}

export interface SupplierLines {
  line(supplier: Supplier): SupplierLine
  close(): void
}

/** Keeps one pool per supplier across snapshots; a changed address or key opens a new pool and lets the old one run dry. */
export function createSupplierLines(parts: {
  /** Hears of what goes wrong on our side of a connection. */
  onError: (error: unknown) => void
  secretOf: (envName: string) => string | undefined
  slotOf: (name: string) => Slot
}): SupplierLines {
  const open = new Map<string, { fingerprint: string; line: SupplierLine }>()
  return {
    line(supplier) {
      const fingerprint = JSON.stringify(supplier)
      const known = open.get(supplier.id)
      if (known?.fingerprint === fingerprint) return known.line
      known?.line.client.close()
      const url = new URL(supplier.baseUrl)
      const secret = supplier.apiKeyEnv === null ? undefined : fitForHeader(parts.secretOf(supplier.apiKeyEnv))
      const line: SupplierLine = {
        id: supplier.id,
        client: createHttpClient({
          origin: url,
          maxConnections: supplier.maxConcurrency,
          connectTimeoutMs: 5_000,
          maxHeadBytes: 65_536,
          idleTimeoutMs: 4_000,
          onError: parts.onError,
        }),
        target: `${url.pathname.replace(/\/$/, '')}/chat/completions`,
        head:
          headerLine('content-type', 'application/json') +
          headerLine('accept', 'application/json, text/event-stream') +
          headerLine('user-agent', 'tokenfactory') +
          (secret === undefined ? '' : headerLine('authorization', `Bearer ${secret}`)),
        hasCredentials: supplier.apiKeyEnv === null || secret !== undefined,
        slot: parts.slotOf(`supplier:${supplier.id}`),
        maxConcurrency: supplier.maxConcurrency,
        maxTokensField: supplier.maxTokensField,
      }
      open.set(supplier.id, { fingerprint, line })
      return line
    },
    close() {
      for (const { line } of open.values()) line.client.close()
    },
  }
}

/** A key with a stray line break would make every request of the supplier fail; it counts as no key, which explain shows. */
function fitForHeader(secret: string | undefined): string | undefined {
  const trimmed = secret?.trim()
  return trimmed && /^[\x21-\x7e]+$/.test(trimmed) ? trimmed : undefined
}
