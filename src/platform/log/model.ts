/** Names under which secrets and customers' content travel. Compared in lower case and without `_` and `-`. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'apikey',
  'xapikey',
  'key',
  'secret',
  'clientsecret',
  'password',
  'passwd',
  'token',
  'accesstoken',
  'refreshtoken',
  'admintoken',
  'internaltoken',
  'databaseurl',
  'prompt',
  'prompts',
  'messages',
  'content',
  'completion',
  'choices',
  'arguments',
  'body',
  'requestbody',
  'responsebody',
])

const HIDDEN = '[hidden]'

/** Deeper than this nothing of a log line is worth reading, and a cycle would never end. */
const MAX_DEPTH = 5

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[_-]/g, ''))
}

/**
 * Hides what looks like a credential inside free text: bearer tokens, keys with a well-known prefix, the password part of a URL.
 * It is the last net, not a licence to put secrets into messages.
 */
export function withoutCredentials(text: string): string {
  return text
    .replaceAll(/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${HIDDEN}`)
    .replaceAll(/\b(sk|tf|pk|rk)[-_][\w-]{8,}/g, `$1-${HIDDEN}`)
    .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/@]+@/gi, `$1:${HIDDEN}@`)
}

/** A copy of a value fit for a log: secrets by name and by shape are hidden, errors keep message, stack, code and cause. */
export function scrubbed(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutCredentials(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[deep]'
  if (value instanceof Error) return scrubbedError(value, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => scrubbed(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isSecretName(name) && inner !== null && inner !== undefined ? HIDDEN : scrubbed(inner, depth + 1),
    ]),
  )
}

function scrubbedError(error: Error, depth: number): object {
  return {
    type: error.name,
    message: withoutCredentials(error.message),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    stack: withoutCredentials(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: scrubbed(error.cause, depth + 1) }),
  }
}
