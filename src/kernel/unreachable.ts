/** Makes an unhandled case a compile error, and a loud one if it ever happens anyway. */
export function unreachable(impossible: never): never {
  throw new Error(`unreachable: ${JSON.stringify(impossible)}`)
}
