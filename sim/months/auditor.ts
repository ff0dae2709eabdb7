import { PEAK_HOURS, PRICES, WEIGHTS, isHoliday } from './market.ts'

/** Every request of these years uses as many tokens; a fifth of the input was cached. */
export const USAGE = { prompt_tokens: 100, completion_tokens: 50, cached_tokens: 20 } as const
const [UNCACHED, CACHED, OUTPUT] = [80n, 20n, 50n]

const chinese = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Asia/Shanghai',
  dateStyle: 'short',
  timeStyle: 'medium',
  hourCycle: 'h23',
})

/** The wall clock in China by the platform's own time zone data, not by the factory's arithmetic. */
export function inChina(atMs: number): { readonly day: string; readonly hour: number } {
  const [day = '', time = ''] = chinese.format(atMs).split(', ')
  return { day, hour: Number(time.slice(0, 2)) }
}

interface Expected {
  readonly pico: bigint
  readonly taxPercent: number
  readonly units: bigint
}

/** What a request costs in money, and in units of the standard token, by the published prices and a calendar on the wall. */
export function expectedOf(atMs: number, tier: 'standard' | 'priority'): Expected {
  const { day, hour } = inChina(atMs)
  const weekday = new Date(`${day}T12:00:00Z`).getUTCDay()
  const isPeak =
    weekday >= 1 && weekday <= 5 && !isHoliday(day) && PEAK_HOURS.some(({ from, to }) => hour >= from && hour < to)
  const price = PRICES.findLast(({ from }) => from <= day)
  const weights = WEIGHTS.findLast(({ from }) => from <= day)
  if (!price || !weights) throw new Error(`nothing is sold on ${day}`)
  const factor = (isPeak ? 2n : 1n) * (tier === 'priority' ? 2n : 1n)
  return {
    pico: factor * (UNCACHED * price.input + CACHED * price.cached + OUTPUT * price.output),
    taxPercent: price.taxPercent,
    units: UNCACHED * weights.input + CACHED * weights.cached + OUTPUT * weights.output,
  }
}
