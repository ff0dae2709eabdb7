import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto'

/** A report as it travels: its text, the SHA-256 of the text, and an Ed25519 signature of the hash (RFC 8032). */
export interface SignedReport {
  readonly report: string
  readonly hash: string
  /** Base64. */
  readonly signature: string
  /** The installation's public key, PEM (SPKI). Whoever verifies compares it with the one they were given another way. */
  readonly publicKey: string
}

/** `privateKey`: PEM (PKCS 8). */
export function signReport(report: string, privateKey: string): SignedReport {
  const digest = hash('sha256', report, 'hex')
  const key = createPrivateKey(privateKey)
  return {
    report,
    hash: digest,
    signature: sign(null, Buffer.from(digest), key).toString('base64'),
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** What is wrong with a signed report, or nothing. */
export function flawOfReport({ report, hash: stated, signature, publicKey }: SignedReport): string | undefined {
  if (hash('sha256', report, 'hex') !== stated) return 'the text is not what the hash is of'
  try {
    const isRight = verify(null, Buffer.from(stated), createPublicKey(publicKey), Buffer.from(signature, 'base64'))
    return isRight ? undefined : 'the signature is not of this report'
  } catch {
    return 'the key or the signature cannot be read'
  }
}
