import * as z from 'zod'

/** Everything wrong with the environment, in one line that a person can act on. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const WHOLE_NUMBER = /^\d{1,15}$/

function wholeNumber(min: number, max: number, complaint: string) {
  return z
    .string()
    .refine((text) => WHOLE_NUMBER.test(text) && Number(text) >= min && Number(text) <= max, complaint)
    .transform(Number)
}

/** A TCP port that a client can be told: 1–65535. */
export const Port = wholeNumber(1, 65_535, 'must be a port number from 1 to 65535')

export const PositiveInt = wholeNumber(1, Number.MAX_SAFE_INTEGER, 'must be a whole number of at least 1')

/** `1`, `true`, `yes`, `on` and their opposites, in any case. */
export const Flag = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['1', 'true', 'yes', 'on', '0', 'false', 'no', 'off'], 'must be true or false'))
  .transform((text) => ['1', 'true', 'yes', 'on'].includes(text))

export const HttpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })

/** A value that is never shown in a complaint about it. */
export const Secret = z.string().min(1, 'must not be empty').meta({ secret: true })

/**
 * Reads a program's settings from environment variables, whose names are the schema's keys. An empty variable counts as not set.
 * Throws one `ConfigError` that names every mistake, and never a value that may be secret.
 */
export function readConfig<Schema extends z.ZodObject>(schema: Schema, env: NodeJS.ProcessEnv): z.infer<Schema> {
  const given = Object.fromEntries(Object.keys(schema.shape).flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const complaints = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? '')
    const value = given[name]
    if (value === undefined) return `${name} is not set`
    return `${name}${isSecret(name, schema) ? '' : `=${JSON.stringify(value.slice(0, 60))}`} ${issue.message}`
  })
  throw new ConfigError(`wrong settings: ${[...new Set(complaints)].join('; ')}`)
}

function isSecret(name: string, schema: z.ZodObject): boolean {
  const field: unknown = schema.shape[name]
  return (
    /TOKEN|SECRET|PASSWORD|KEY|DATABASE_URL/.test(name) ||
    (field instanceof z.ZodType && field.meta()?.['secret'] === true)
  )
}
