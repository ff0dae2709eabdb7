import { Configuration } from '#contract'
import { isDecimal, isObject } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'
import { invalidBody } from '../problems.ts'
import { refuse } from './amounts.ts'

/** What an order item wants of us. */
export type Wish =
  | { readonly action: 'add'; readonly offer: string; readonly configuration: Configuration }
  | {
      readonly action: 'modify'
      readonly subscription: string
      readonly offer: string
      readonly configuration: Configuration
    }
  | { readonly action: 'delete'; readonly subscription: string }

const OFFER = 'offer:'
const SUBSCRIPTION = 'sub:'
const PAY_AS_YOU_GO = 'payg:'

const idIn = (item: ExactObject, name: string): string => {
  const value = item[name]
  return isObject(value) && typeof value['id'] === 'string' ? value['id'] : ''
}

/** Whether an item is about something of ours. */
export function isOurs(item: ExactObject): boolean {
  return idIn(item, 'productOffering').startsWith(OFFER) || idIn(item, 'product').startsWith(SUBSCRIPTION)
}

/** Undefined for an item about the BSS's own products. Throws `invalid_body` for what cannot be ordered. */
export function readItem(item: ExactObject, index: number): Wish | undefined {
  const path = `productOrderItem.${index}`
  const { action } = item
  if (idIn(item, 'productOffering').startsWith(PAY_AS_YOU_GO))
    refuse(`${path}.productOffering.id`, 'pay as you go needs no order: every customer has it')
  if (!isOurs(item)) return undefined
  const offer = idIn(item, 'productOffering').slice(OFFER.length)
  const subscription = idIn(item, 'product').slice(SUBSCRIPTION.length)
  if (action === 'delete') return { action, subscription }
  const configuration = configurationOf(item, path)
  if (action === 'add') return { action, offer, configuration }
  if (action === 'modify') return { action, subscription, offer, configuration }
  return refuse(`${path}.action`, 'not add, modify or delete')
}

/** The quantity, and the characteristics of the product by their names. */
function configurationOf(item: ExactObject, path: string): Configuration {
  const { quantity, product } = item
  const list = isObject(product) ? product['productCharacteristic'] : undefined
  const values: [string, unknown][] = Array.isArray(list)
    ? (list as readonly ExactJson[]).flatMap((one): [string, unknown][] =>
        isObject(one) && typeof one['name'] === 'string' ? [[one['name'], plain(one['value'])]] : [],
      )
    : []
  const parsed = Configuration.safeParse({
    ...Object.fromEntries(values),
    ...(quantity === undefined ? {} : { quantity: plain(quantity) }),
  })
  if (parsed.success) return parsed.data
  throw invalidBody({
    issues: parsed.error.issues.map((issue) => ({ path: [path, ...issue.path].join('.'), message: issue.message })),
  })
}

/** Counts become numbers where they are whole; everything else stays the text that it is. */
function plain(value: ExactJson | undefined): unknown {
  if (!isDecimal(value)) return value
  const text = value.toString()
  return /^\d{1,15}$/.test(text) ? Number(text) : text
}
