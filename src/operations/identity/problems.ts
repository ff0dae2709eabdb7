import { defineProblem } from '#kernel'

export const wrongCredentials = defineProblem({
  code: 'wrong_credentials',
  status: 401,
  title: 'Wrong e-mail address or password',
  retryable: false,
  detail: () => 'There is no account with this e-mail address and password.',
})

export const tooManyAttempts = defineProblem<{ retryAfterSeconds: number }>({
  code: 'too_many_attempts',
  status: 429,
  title: 'Too many attempts',
  retryable: true,
  detail: ({ retryAfterSeconds }) => `Too many attempts to sign in. Try again in ${retryAfterSeconds} s.`,
})

export const unknownTenant = defineProblem<{ tenant: string }>({
  code: 'unknown_tenant',
  status: 404,
  title: 'Unknown tenant',
  retryable: false,
  detail: ({ tenant }) => `There is no tenant ${tenant}.`,
})

export const unknownKey = defineProblem<{ key: string }>({
  code: 'unknown_key',
  status: 404,
  title: 'Unknown key',
  retryable: false,
  detail: ({ key }) => `There is no key ${key}.`,
})

export const tooManyKeys = defineProblem<{ tenant: string; kind: 'API' | 'playground'; limit: number }>({
  code: 'too_many_keys',
  status: 409,
  title: 'Too many keys',
  retryable: false,
  detail: ({ tenant, kind, limit }) =>
    kind === 'API'
      ? `The tenant ${tenant} has ${limit} API keys that work, which is the most there may be. Revoke some first.`
      : `The tenant ${tenant} has ${limit} playground keys that work, which is the most there may be. They expire by themselves within minutes.`,
})

export const accountExists = defineProblem<{ email: string }>({
  code: 'account_exists',
  status: 409,
  title: 'Account exists',
  retryable: false,
  detail: ({ email }) => `There is already an account ${email}.`,
})

export const expiryInThePast = defineProblem({
  code: 'expiry_in_the_past',
  status: 422,
  title: 'Expiry in the past',
  retryable: false,
  detail: () => 'The key would have expired before it could be used.',
})
