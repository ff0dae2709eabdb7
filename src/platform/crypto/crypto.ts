import { createHash, hash, randomBytes, randomFillSync, timingSafeEqual } from 'node:crypto'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A secret of at least `bytes` bytes of entropy in letters and digits only, so that a double click selects all of it. */
export function randomToken(bytes: number): string {
  const length = Math.ceil((bytes * 8) / Math.log2(62))
  let text = ''
  while (text.length < length) {
    // Values of 248 and more are dropped: they would make the first eight characters likelier than the others.
    for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += BASE62.charAt(byte % 62)
  }
  return text
}

export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}

/** The digest in base64 (44 characters). Fit for hashing random keys; passwords need a slow function instead. */
export function sha256(data: string | Buffer): string {
  return hash('sha256', data, 'base64')
}

/** Compares in a time that does not depend on where the texts differ, nor on their lengths. */
export function equalSecrets(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** A source of random integers in [0, 2³²) that asks the operating system once per `batch` of them. */
export function randomWords(batch = 1024): () => number {
  const words = new Uint32Array(batch)
  let next = batch
  return () => {
    if (next === batch) {
      randomFillSync(words)
      next = 0
    }
    return words[next++] ?? 0
  }
}

/** A source of random numbers in [0, 1), good for choosing and for spreading. */
export function randomPart(): () => number {
  const word = randomWords()
  return () => word() / 2 ** 32
}
