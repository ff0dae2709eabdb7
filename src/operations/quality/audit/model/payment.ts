/** How far a claim may be from our count and still be paid as claimed: the larger of a number and a part of our count. */
export interface Slack {
  readonly tokens: number
  readonly ppm: number
}

/** In whole tokens, rounded down: half a token is not worth a dispute. */
export function slackOf(counted: number, { tokens, ppm }: Slack): number {
  return Math.max(tokens, Math.floor((counted * ppm) / 1_000_000))
}

export function isExcess({ reported, counted, slack }: { reported: number; counted: number; slack: Slack }): boolean {
  return reported - counted > slackOf(counted, slack)
}

/** What is paid for: a claim within its tolerance as it is, and no more than count and tolerance beyond it. */
export function payableTokens({
  reported,
  counted,
  slack,
}: {
  reported: number
  counted: number
  slack: Slack
}): number {
  return Math.min(reported, counted + slackOf(counted, slack))
}
