export const walletOf = (tenant: string): string => `wallet:${tenant}`

export const tokensOf = (tenant: string, table: string): string => `tokens:${tenant}/${table}`

/** Undefined for buckets of something else. */
export function ownerOfTokens(bucket: string): { tenant: string; table: string } | undefined {
  const [, tenant, table] = /^tokens:([^/]+)\/([^/]+)$/.exec(bucket) ?? []
  return tenant === undefined || table === undefined ? undefined : { tenant, table }
}

/** The name of a period's bucket without and with its period; undefined for wallets and lots of tokens. */
export function splitPeriod(bucket: string): { definition: string; period: string } | undefined {
  const at = bucket.lastIndexOf('@')
  return at > 0 && /^(throughput|cap):/.test(bucket)
    ? { definition: bucket.slice(0, at), period: bucket.slice(at + 1) }
    : undefined
}
