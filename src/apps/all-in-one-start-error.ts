/** An obstacle that a person can remove: told in one line, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError'
}
