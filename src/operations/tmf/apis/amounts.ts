import type { Identity } from '#identity'
import { parseYuan } from '#kernel'
import { isDecimal, isObject } from '#platform/json'
import type { ExactJson } from '#platform/json'
import { invalidBody } from '../problems.ts'
import { CURRENCY } from './refs.ts'

export function refuse(path: string, message: string): never {
  throw invalidBody({ issues: [{ path, message }] })
}

/** A positive amount of money in a quantity. Throws `invalid_body` for another unit and for parts of a pico-yuan. */
export function amountOf(value: ExactJson | undefined, path: string): bigint {
  if (!isObject(value)) refuse(path, 'is missing')
  const { amount, units } = value
  if (units !== CURRENCY) refuse(`${path}.units`, `only ${CURRENCY}`)
  if (!isDecimal(amount)) refuse(`${path}.amount`, 'is missing')
  try {
    const pico = parseYuan(amount.toString())
    if (pico > 0n) return pico
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return refuse(`${path}.amount`, 'not a positive amount written with at most 12 decimals')
}

/** Whose wallet a reference to a bucket means. Throws `invalid_body` if it is nobody's. */
export async function walletTenant(identity: Identity, value: ExactJson | undefined, path: string): Promise<string> {
  const id = isObject(value) && typeof value['id'] === 'string' ? value['id'] : ''
  const tenant = /^wallet:(.+)$/.exec(id)?.[1]
  const [known] = tenant === undefined ? [] : await identity.tenants(tenant)
  return known?.id ?? refuse(path, 'no wallet of ours')
}
