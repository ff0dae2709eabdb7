import { dig, fail, isRecord, notApplicable, pass, shown } from '../model.ts'
import type { Answer } from '../probe.ts'
import { NotSeen } from '../session.ts'
import type { Session, WrongRequest } from '../session.ts'
import { filler } from './filler.ts'
import type { Check } from './check.ts'

const refusedWith = (which: WrongRequest, statuses: readonly number[]) => async (it: Session) => {
  const { status, text } = await it.refusal(which)
  return statuses.includes(status) ? pass(`status ${status}`) : fail(`status ${status}: ${shown(text)}`)
}

/** More than the context by a fifth: far enough for a count that is an estimate. */
const TOO_LONG = 1.2

async function tooLong(it: Session, contextTokens: number): Promise<Answer> {
  return it.probe.post(it.ask({ messages: await filler(it, contextTokens * TOO_LONG), max_tokens: 1 }))
}

/** What is wrong is refused, at once, with the right status and in the protocol's shape. */
export const ERROR_CHECKS: readonly Check[] = [
  { id: 'error.malformed', asks: 'A body that is no JSON is refused with 400.', look: refusedWith('malformed', [400]) },
  {
    id: 'error.wrong_type',
    asks: 'A member of the wrong type is refused with 400 or 422.',
    look: refusedWith('wrong_type', [400, 422]),
  },
  {
    id: 'error.missing',
    asks: 'A request without messages is refused with 400 or 422.',
    look: refusedWith('missing', [400, 422]),
  },
  {
    id: 'error.unknown_model',
    asks: 'A model that does not exist is refused with 404 or 400.',
    look: refusedWith('unknown_model', [404, 400]),
  },
  {
    id: 'error.bad_key',
    asks: 'A wrong key is refused with 401 or 403.',
    async look(it) {
      if (it.probe.target.apiKey === undefined) return notApplicable('no key was given, so none can be wrong')
      return refusedWith('bad_key', [401, 403])(it)
    },
  },
  {
    id: 'error.before_stream',
    asks: 'A wrong request for a stream is refused by its status, not inside a stream.',
    look: refusedWith('before_stream', [400, 422]),
  },
  {
    id: 'error.too_long',
    asks: 'A question longer than the context is refused with 400 or 413, and never cut silently.',
    async look(it) {
      if (it.contextTokens === undefined) return notApplicable('no context length was stated')
      const { status, text } = await tooLong(it, it.contextTokens)
      return [400, 413, 422].includes(status) ? pass(`status ${status}`) : fail(`status ${status}: ${shown(text)}`)
    },
  },
  {
    id: 'error.shape',
    asks: 'A refusal is {"error": {"message", "type"}} in JSON.',
    async look(it) {
      const kinds: readonly WrongRequest[] = ['malformed', 'wrong_type', 'missing', 'unknown_model', 'before_stream']
      const refusals = (await Promise.all(kinds.map((kind) => it.refusal(kind).catch(() => undefined)))).filter(
        (each): each is Answer => each !== undefined && each.status >= 400,
      )
      if (refusals.length === 0) throw new NotSeen('error.malformed')
      const isRight = ({ json }: Answer) =>
        isRecord(dig(json, 'error')) &&
        typeof dig(json, 'error', 'message') === 'string' &&
        typeof dig(json, 'error', 'type') === 'string'
      const odd = refusals.find((each) => !isRight(each))
      return odd ? fail(shown(odd.text)) : pass(`${refusals.length} refusals`)
    },
  },
]
