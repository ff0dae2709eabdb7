/** A name that nobody used before, for what is done once per name. */
export function freshReference(prefix: string): string {
  const words = crypto.getRandomValues(new Uint32Array(2))
  return `${prefix}-${new Date().toISOString().slice(0, 10)}-${[...words].map((word) => word.toString(36)).join('')}`
}
