import { generateKeyPairSync } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomToken } from '#platform/crypto'

export interface InstallationSecrets {
  /** What gateways show at `/internal/v1`. */
  readonly internalToken: string
  /** What the CLI shows at `/api/v1`: everything an operator may do. */
  readonly adminToken: string
  /** The password of the first operator. */
  readonly adminPassword: string
  /** Ed25519, PEM (PKCS 8): what this installation signs reports with. */
  readonly signingKey: string
}

/** Reads the installation's secrets, making those that do not exist yet. Several processes may do so at once. */
export function installationSecrets(dataDir: string): InstallationSecrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  return {
    internalToken: ensureSecret(join(dataDir, 'internal-token'), 32),
    adminToken: ensureSecret(join(dataDir, 'admin-token'), 32),
    adminPassword: ensureSecret(join(dataDir, 'admin-password'), 15),
    signingKey: ensureFile(join(dataDir, 'signing-key'), newSigningKey),
  }
}

function ensureSecret(path: string, bytes: number): string {
  return ensureFile(path, () => randomToken(bytes))
}

function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim()
}

/** The file appears whole or not at all: it is written under another name and then linked, which fails if it exists. */
function ensureFile(path: string, make: () => string): string {
  const existing = readSecret(path)
  if (existing !== undefined) return existing
  const partial = `${path}.${process.pid}.${randomToken(6)}`
  writeFileSync(partial, `${make()}\n`, { mode: 0o600, flag: 'wx', flush: true })
  try {
    linkSync(partial, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(partial, { force: true })
  }
  const secret = readSecret(path)
  if (secret === undefined) throw new Error(`${path} is empty: delete it and start again`)
  return secret
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
