import * as z from 'zod'
import { HttpUrl, Port, Secret } from '#platform/config'

/** Settings of the control plane, by the names of their environment variables. */
export const ControlConfig = z.object({
  DATABASE_URL: Secret,
  CONTROL_PORT: Port.default(8081),
  /** Where to listen. Anything but loopback puts the console on the network: see CONTROL_ALLOWED_HOSTS. */
  CONTROL_HOST: z.string().default('127.0.0.1'),
  /** Host names, separated by commas, under which the console may be opened besides localhost and plain IP addresses. */
  CONTROL_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((name) => (name.trim() ? [name.trim().toLowerCase()] : []))),
  /** Where `internal-token`, `admin-token` and `admin-password` are, and are made if they do not exist. */
  DATA_DIR: z.string().default('./data'),
  /** The first operator's sign-in; the password is what `admin-password` says at every start. */
  ADMIN_EMAIL: z.email('must be an e-mail address').default('admin@factory.local'),
  /** The embedded engine's base URL up to and including /v1; without it, embedded suppliers are not offered. */
  ENGINE_URL: HttpUrl.optional(),
  /** The gateway as users reach it. */
  GATEWAY_URL: HttpUrl.default('http://127.0.0.1:8080'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})
export type ControlConfig = z.infer<typeof ControlConfig>
