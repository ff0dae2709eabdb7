import { formatUnits, formatYuan } from '#kernel'

/** Pico-yuan as yuan with all its digits: the command line shows what the books hold. */
export function yuan(picoText: string): string {
  return formatYuan(BigInt(picoText))
}

/** Yuan, or what a conversion table counts. */
export function amount(text: string, unit: string): string {
  return unit === 'CNY' ? `¥${yuan(text)}` : `${formatUnits(BigInt(text))} ${unit}`
}

export function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

export function milliseconds(value: number | null): string {
  return value === null ? '-' : `${Math.round(value)} ms`
}
