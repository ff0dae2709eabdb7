export { equalSecrets, randomHex, randomPart, randomToken, randomWords, sha256 } from './crypto.ts'
export { createRequestIds } from './request-ids.ts'
