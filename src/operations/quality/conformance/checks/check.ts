import type { Finding } from '../model.ts'
import type { Session } from '../session.ts'

export interface Check {
  readonly id: string
  /** What must be true, as a sentence. */
  readonly asks: string
  readonly look: (it: Session) => Promise<Finding>
}
