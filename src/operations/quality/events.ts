/** Who did something about a subject, when and why. */
export interface QualityEvent {
  readonly subject: string
  readonly what: string
  readonly by: string
  readonly reason: string
  readonly atMs: number
}
