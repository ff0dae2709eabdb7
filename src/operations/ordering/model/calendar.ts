import { chinaDate, chinaMidnightMs } from '#kernel'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/** The midnight in China at or before an instant. */
export function dayStart(atMs: number): number {
  return chinaMidnightMs(chinaDate(atMs))
}

/** Minutes of the day in China: 09:30 is 570. */
export function minuteOfDay(atMs: number): number {
  return Math.floor((atMs - dayStart(atMs)) / MINUTE_MS)
}

/** `22:00` → 1320. */
export function parseTimeOfDay(text: string): number {
  const [hours, minutes] = text.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}
