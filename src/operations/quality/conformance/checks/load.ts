import { setTimeout as wait } from 'node:timers/promises'
import { fail, notApplicable, pass } from '../model.ts'
import type { Answer } from '../probe.ts'
import { reasonOf } from '../probe.ts'
import type { Session } from '../session.ts'
import type { Check } from './check.ts'

const LONGEST_WAIT_MS = 30_000
/** Until a server has noticed that its client left. */
const NOTICE_MS = 250
const bursts = new WeakMap<Session, Promise<(Answer | string)[]>>()

/** Many small requests at once, sent only once per look. A text is why one failed. */
function burst(it: Session): Promise<(Answer | string)[]> {
  const sent =
    bursts.get(it) ??
    Promise.all(Array.from({ length: it.burst }, () => it.probe.post(it.ask({ max_tokens: 1 })).catch(reasonOf)))
  bursts.set(it, sent)
  return sent
}

const isLimited = (each: Answer | string): each is Answer => typeof each !== 'string' && each.status === 429

/** `Retry-After` in milliseconds (RFC 9110, 10.2.3): seconds, or a date. */
function retryAfterMs({ headers }: Answer): number | undefined {
  const text = headers.get('retry-after') ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const [at, now] = [Date.parse(text), Date.parse(headers.get('date') ?? '')]
  return Number.isNaN(at) ? undefined : Math.max(0, Number.isNaN(now) ? 0 : at - now)
}

/** What happens with more requests at once, and when a client leaves. */
export const LOAD_CHECKS: readonly Check[] = [
  {
    id: 'cut.client',
    asks: 'After a client left in the middle of a stream, the next request is answered as ever.',
    async look(it) {
      const streamed = await it.probe.stream(it.ask({ stream: true }), () => false)
      if (streamed.status !== 200) return notApplicable('there was no stream to leave (see stream.given)')
      await wait(NOTICE_MS)
      const { status } = await it.probe.post(it.ask({ max_tokens: 1 }))
      return status === 200 ? pass('answered') : fail(`status ${status}`)
    },
  },
  {
    id: 'load.burst',
    asks: 'Requests at once are answered, or refused with 429 or 503: nothing breaks.',
    async look(it) {
      if (it.burst === 0) return notApplicable('not asked for')
      const answers = await burst(it)
      const odd = answers.filter((each) => typeof each === 'string' || ![200, 429, 503].includes(each.status))
      const limited = answers.filter(isLimited).length
      const saw = `${answers.length} at once: ${answers.length - odd.length - limited} answered, ${limited} limited`
      const [first] = odd
      return first === undefined
        ? pass(saw)
        : fail(`${saw}, ${odd.length} broken: ${typeof first === 'string' ? first : first.status}`)
    },
  },
  {
    id: 'load.retry_after',
    asks: 'A refusal with 429 says in Retry-After when to come again.',
    async look(it) {
      if (it.burst === 0) return notApplicable('not asked for')
      const limited = (await burst(it)).filter(isLimited)
      if (limited.length === 0) return notApplicable(`no limit was met with ${it.burst} requests at once`)
      const without = limited.filter((each) => retryAfterMs(each) === undefined).length
      return without === 0 ? pass(`${limited.length} times`) : fail(`${without} of ${limited.length} refusals did not`)
    },
  },
  {
    id: 'load.recovers',
    asks: 'When that time is over, requests are answered again.',
    async look(it) {
      if (it.burst === 0) return notApplicable('not asked for')
      const waits = (await burst(it)).filter(isLimited).map((each) => retryAfterMs(each) ?? 1000)
      if (waits.length === 0) return notApplicable('no limit was met')
      await wait(Math.min(LONGEST_WAIT_MS, Math.max(...waits) + 50))
      const { status } = await it.probe.post(it.ask({ max_tokens: 1 }))
      return status === 200 ? pass('answered') : fail(`status ${status}`)
    },
  },
]
