import type { VerifyProgress } from '#contract'

/** Hears how many records a check has looked at. */
export type Beat = (done: number) => void

export type OnProgress = (progress: VerifyProgress) => void
