import type { Clock } from '#platform/clock'
import { randomToken, sha256 } from '#platform/crypto'
import type { Database } from '#platform/postgres'
import type { SessionView } from './model.ts'
import { verifyPassword } from './password.ts'
import { tooManyAttempts, wrongCredentials } from './problems.ts'
import * as store from './store.ts'
import { createThrottle } from './throttle.ts'

export interface OpenedSession extends SessionView {
  /** Belongs into an HttpOnly cookie; only its hash is stored. */
  readonly token: string
  readonly expiresAtMs: number
}

export interface SignIn {
  /**
   * Opens a session. `caller` is where the attempt comes from. Throws `wrong_credentials` for whatever was wrong, and
   * `too_many_attempts`.
   */
  signIn(attempt: {
    readonly email: string
    readonly password: string
    readonly caller: string
  }): Promise<OpenedSession>
  /** Whose session this is, or undefined if it does not exist or has ended. */
  session(token: string): Promise<SessionView | undefined>
  signOut(token: string): Promise<void>
}

const SESSION_LIFETIME_MS = 12 * 3_600_000
const WINDOW_MS = 15 * 60_000
/** A person mistypes a few times; ten wrong passwords for one account from one place are not a person. */
const FREE_PER_CALLER = 10
/** Over all places, so that many callers cannot share out the guessing; higher, so that one caller cannot lock the account. */
const FREE_PER_ACCOUNT = 100
const REMEMBERED = 10_000
/** Each takes 64 MiB and a thread of the pool for a while. */
const HASHES_AT_ONCE = 2
const HASHES_WAITING = 16

export function createSignIn({ database, clock }: { readonly database: Database; readonly clock: Clock }): SignIn {
  const perCaller = createThrottle({ clock, free: FREE_PER_CALLER, windowMs: WINDOW_MS, capacity: REMEMBERED })
  const perAccount = createThrottle({ clock, free: FREE_PER_ACCOUNT, windowMs: WINDOW_MS, capacity: REMEMBERED })
  const checked = gate(HASHES_AT_ONCE, HASHES_WAITING)
  const check = async (address: string, password: string) => {
    const account = await store.selectAccount(database, address)
    return { account, isRight: await checked(() => verifyPassword(password, account?.passwordHash)) }
  }
  return {
    async signIn({ email, password, caller }) {
      const address = email.toLowerCase()
      const fromHere = [JSON.stringify([address, caller])]
      const waitMs = Math.max(perCaller.waitMs(fromHere), perAccount.waitMs([address]))
      if (waitMs > 0) throw tooManyAttempts({ retryAfterSeconds: Math.ceil(waitMs / 1000) })
      // Counted before the check and taken back after it, so attempts made at the same moment cannot slip past the count.
      perCaller.failed(fromHere)
      perAccount.failed([address])
      const { account, isRight } = await check(address, password).catch((error: unknown) => {
        // Not looked at, so not wrong: a burst of strangers must not lock out who came at the same moment.
        perCaller.undo(fromHere)
        perAccount.undo([address])
        throw error
      })
      if (!isRight || !account) throw wrongCredentials({})
      perCaller.succeeded(fromHere)
      perAccount.succeeded([address])

      const token = randomToken(32)
      const expiresAtMs = clock.nowMs() + SESSION_LIFETIME_MS
      await store.deleteExpiredSessions(database, new Date(clock.nowMs()))
      await store.insertSession(database, {
        tokenHash: hashToken(token),
        email: account.email,
        createdAt: new Date(clock.nowMs()),
        expiresAt: new Date(expiresAtMs),
      })
      return {
        email: account.email,
        role: account.role,
        tenant: account.tenant,
        supplier: account.supplier,
        token,
        expiresAtMs,
      }
    },
    session: (token) => store.selectSession(database, hashToken(token), new Date(clock.nowMs())),
    signOut: (token) => store.deleteSession(database, hashToken(token)),
  }
}

/** A token has 256 random bits, so a plain hash is enough: there is nothing to guess. */
function hashToken(token: string): string {
  return sha256(token)
}

/** Lets `atOnce` run, `waiting` wait, and refuses the rest. */
function gate(atOnce: number, waiting: number) {
  const queue: (() => void)[] = []
  let running = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (queue.length >= waiting) throw tooManyAttempts({ retryAfterSeconds: 5 })
      await new Promise<void>((go) => queue.push(go))
    } else running += 1
    try {
      return await work()
    } finally {
      // The place is handed on, not given up, so that nobody can slip in between.
      const next = queue.shift()
      if (next) next()
      else running -= 1
    }
  }
}
