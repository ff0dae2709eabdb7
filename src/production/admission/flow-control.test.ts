import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_TOKENS } from '#kernel'
import type { ServiceTier } from '#contract'
import { CLASS_POLICIES, ceilingsFor, createFlowControl, roomUnder } from './index.ts'
import type { FlowAsk, FlowControl, FlowOptions, Turn } from './index.ts'

const INPUT_COST = 1
const OUTPUT_COST = 2

interface Job {
  readonly tenant: string
  readonly input: number
  readonly output: number
  done: number
}

/** A supplier with so many places that gives every request one token a step, in front of which requests wait. */
function createPlace(places: number) {
  const flow: FlowControl<Job> = createFlowControl()
  const turns = new Map<Job, Turn<Job>>()
  const running = new Set<Job>()
  const served = new Map<string, number>()
  const serve = (tenant: string, cost: number) => served.set(tenant, (served.get(tenant) ?? 0) + cost)
  let nowMs = 0
  const fill = () =>
    flow.pump(nowMs, (job) => {
      if (running.size >= places) return false
      running.add(job)
      serve(job.tenant, job.input * INPUT_COST)
      return true
    })
  return {
    flow,
    servedOf: (tenant: string) => served.get(tenant) ?? 0,
    waiting: (tenant: string) =>
      [...turns.values()].filter((turn) => turn.state === 'waiting' && turn.ask.tenant === tenant).length,
    submit(tenant: string, input: number, output: number, weight = 1) {
      const job = { tenant, input, output, done: 0 }
      const turn = flow.turn(ask({ tenant, weight, inputTokens: input }), job)
      turns.set(job, turn)
      expect(flow.wait(turn, '', nowMs).refused).toBeUndefined()
    },
    step() {
      nowMs++
      fill()
      for (const job of running) {
        const turn = turns.get(job) as Turn<Job>
        job.done++
        serve(job.tenant, OUTPUT_COST)
        flow.progress(turn, job.done)
        if (job.done < job.output) continue
        flow.end(turn, { ...NO_TOKENS, uncachedInput: job.input, output: job.output })
        running.delete(job)
        turns.delete(job)
      }
    },
  }
}

const ask = (over: Partial<FlowAsk> = {}): FlowAsk => ({
  service: 'chat',
  tier: 'standard',
  tenant: 'a',
  weight: 1,
  inputTokens: 0,
  bytes: 0,
  deadlineMs: 1e9,
  patienceMs: 1e9,
  ...over,
})

function arrive(flow: FlowControl<string>, name: string, over: Partial<FlowAsk> = {}, nowMs = 0) {
  const turn = flow.turn(ask(over), name)
  return { turn, ...flow.wait(turn, over.service ?? '', nowMs) }
}

/** Lets `count` requests go and says which. */
function drain(flow: FlowControl<string>, count: number, nowMs = 0): readonly string[] {
  const gone: string[] = []
  flow.pump(nowMs, (name) => gone.length < count && gone.push(name) > 0)
  return gone
}

test('two backlogged tenants never drift further apart than 2·max(w_in·L_max, w_out·M) (VTC, theorem 4.4)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.record({ input: fc.integer({ min: 1, max: 512 }), output: fc.integer({ min: 1, max: 40 }) }), {
        minLength: 4,
        maxLength: 60,
      }),
      fc.integer({ min: 1, max: 30 }),
      (places, sizes, ratio) => {
        const place = createPlace(places)
        let next = 0
        const refill = () => {
          for (const tenant of ['heavy', 'light'])
            while (place.waiting(tenant) <= places) {
              const { input, output } = sizes[next++ % sizes.length] ?? { input: 1, output: 1 }
              // One sends requests that are many times smaller than the other's.
              if (tenant === 'heavy') place.submit(tenant, input, output)
              else place.submit(tenant, Math.ceil(input / ratio), Math.ceil(output / ratio))
            }
        }
        let low = 0
        let high = 0
        for (let step = 0; step < 400; step++) {
          refill()
          place.step()
          const gap = place.servedOf('heavy') - place.servedOf('light')
          low = Math.min(low, gap)
          high = Math.max(high, gap)
        }
        const longest = Math.max(...sizes.map(({ input }) => input))
        // All tokens of the requests that run at once: what they read and what they write.
        const inFlight = places * Math.max(...sizes.map(({ input, output }) => input + output))
        // The largest gap over any interval is the distance between the extremes of the running difference.
        expect(high - low).toBeLessThanOrEqual(2 * Math.max(INPUT_COST * longest, OUTPUT_COST * inFlight))
      },
    ),
    { numRuns: 60 },
  )
})

test('tenants that always wait are served by their weights, 1 : 2 : 4', () => {
  const place = createPlace(8)
  const weights = { one: 1, two: 2, four: 4 }
  for (let step = 0; step < 4_000; step++) {
    for (const [tenant, weight] of Object.entries(weights))
      while (place.waiting(tenant) < 9) place.submit(tenant, 100, 20, weight)
    place.step()
  }
  const total = place.servedOf('one') + place.servedOf('two') + place.servedOf('four')
  expect((place.servedOf('one') * 7) / total).toBeCloseTo(1, 1)
  expect((place.servedOf('two') * 7) / total).toBeCloseTo(2, 1)
  expect((place.servedOf('four') * 7) / total).toBeCloseTo(4, 1)
})

test('who returns after a quiet time gets its part from now on, and nothing for the time it was away', () => {
  const place = createPlace(4)
  place.submit('quiet', 50, 10)
  for (let step = 0; step < 2_000; step++) {
    while (place.waiting('busy') < 4) place.submit('busy', 50, 10)
    place.step()
  }
  const before = { busy: place.servedOf('busy'), quiet: place.servedOf('quiet') }
  for (let step = 0; step < 1_000; step++) {
    for (const tenant of ['busy', 'quiet']) while (place.waiting(tenant) < 4) place.submit(tenant, 50, 10)
    place.step()
  }
  const quiet = place.servedOf('quiet') - before.quiet
  // Without the lift it would have had everything until it had caught up (83.5 % in the published comparison).
  expect(quiet / (quiet + place.servedOf('busy') - before.busy)).toBeCloseTo(0.5, 1)
})

test('what was used while nobody waited is no debt later', () => {
  const flow = createFlowControl<string>()
  for (let i = 0; i < 50; i++) flow.start(flow.turn(ask({ tenant: 'early', inputTokens: 100_000 }), ''), i)
  for (let i = 0; i < 4; i++) {
    arrive(flow, `late ${i}`, { tenant: 'late', inputTokens: 100_000 }, 100)
    arrive(flow, `early ${i}`, { tenant: 'early', inputTokens: 100_000 }, 100)
  }
  const order = drain(flow, 8, 200)
  expect(order.slice(0, 4).filter((name) => name.startsWith('early'))).toHaveLength(2)
})

test('cached input counts a tenth, and what was not served is given back', () => {
  const flow = createFlowControl<string>()
  const cached = arrive(flow, 'cached', { tenant: 'cached', inputTokens: 1_000 })
  const plain = arrive(flow, 'plain', { tenant: 'plain', inputTokens: 1_000 })
  const failed = arrive(flow, 'failed', { tenant: 'failed', inputTokens: 1_000 })
  drain(flow, 3)
  flow.end(cached.turn, { ...NO_TOKENS, uncachedInput: 200, cacheRead: 800 })
  flow.end(plain.turn, { ...NO_TOKENS, uncachedInput: 1_000 })
  flow.end(failed.turn, NO_TOKENS)
  for (const tenant of ['plain', 'cached', 'failed']) arrive(flow, tenant, { tenant }, 1)
  // 0, 200 + 80, 1000: joining in the other order does not matter, as each joins at its own count or above the least.
  expect(cached.turn.charged).toBeCloseTo(280, 6)
  expect(plain.turn.charged).toBe(1_000)
  expect(failed.turn.charged).toBe(0)
})

test('classes go strictly in their order, and a newcomer does not pass who waits in its class or above', () => {
  const flow = createFlowControl<string>()
  for (const tier of ['batch', 'flex', 'standard', 'priority'] as const) arrive(flow, tier, { tier })
  expect(flow.isBehind('chat', 'priority')).toBe(true)
  expect(flow.isBehind('other', 'priority')).toBe(false)
  expect(drain(flow, 1)).toEqual(['priority'])
  expect(flow.isBehind('chat', 'priority')).toBe(false)
  expect(flow.isBehind('chat', 'standard')).toBe(true)
  expect(drain(flow, 9)).toEqual(['standard', 'flex', 'batch'])
  expect(flow.size).toBe(0)
})

test('within a tenant the earliest deadline goes first, but who has aged does not wait for ever', () => {
  const flow = createFlowControl<string>()
  arrive(flow, 'patient', { deadlineMs: 60_000 }, 0)
  arrive(flow, 'urgent', { deadlineMs: 2_000 }, 10)
  expect(drain(flow, 1, 20)).toEqual(['urgent'])
  arrive(flow, 'later and urgent', { deadlineMs: 6_000 }, 4_000)
  // Five seconds after it came, the patient one is due as well.
  expect(drain(flow, 1, 5_500)).toEqual(['patient'])
})

test('a request whose suppliers are full does not keep others from theirs', () => {
  const flow = createFlowControl<string>()
  const wait = (name: string, set: string) => flow.wait(flow.turn(ask({ tenant: name }), name), set, 0)
  wait('a', 'north')
  wait('b', 'north')
  wait('c', 'south')
  const tried: string[] = []
  flow.pump(1, (name) => {
    tried.push(name)
    return name === 'c'
  })
  expect(tried).toEqual(['a', 'c'])
  expect(flow.size).toBe(2)
})

test('a request that found no room keeps its place and its tenant its count', () => {
  const flow = createFlowControl<string>()
  arrive(flow, 'first', { tenant: 'a', inputTokens: 10 })
  arrive(flow, 'second', { tenant: 'b', inputTokens: 10 })
  for (let i = 0; i < 5; i++) expect(drain(flow, 0, i)).toEqual([])
  expect(drain(flow, 2, 9)).toEqual(['first', 'second'])
})

test('a full queue makes room for who has less in it, and refuses who has most', () => {
  const policies = { ...CLASS_POLICIES, standard: { ...CLASS_POLICIES.standard, maxWaiting: 4 } }
  const flow = createFlowControl<string>({ policies } satisfies FlowOptions)
  for (let i = 0; i < 4; i++) arrive(flow, `noisy ${i}`, { tenant: 'noisy', inputTokens: 10 })
  expect(arrive(flow, 'noisy 4', { tenant: 'noisy' }).refused).toMatchObject({ reason: 'queue_full' })
  expect(arrive(flow, 'quiet', { tenant: 'quiet' }).dropped?.work).toBe('noisy 3')
  expect(flow.size).toBe(4)
  expect(drain(flow, 9)).toEqual(['noisy 0', 'quiet', 'noisy 1', 'noisy 2'])
})

test('waiting requests are bounded in bytes as well', () => {
  const flow = createFlowControl<string>({ maxWaitingBytes: 100 })
  expect(arrive(flow, 'a', { bytes: 60 }).refused).toBeUndefined()
  expect(arrive(flow, 'b', { bytes: 60 }).refused).toMatchObject({ reason: 'queue_full' })
  drain(flow, 1)
  expect(arrive(flow, 'c', { bytes: 60 }).refused).toBeUndefined()
})

test('who would wait for a supplier that is closed for longer than it may wait hears so at once', () => {
  const flow = createFlowControl<string>()
  const turn = flow.turn(ask({ patienceMs: 1_000 }), 'x')
  expect(flow.wait(turn, '', 0, 30_000).refused).toEqual({ reason: 'too_late', retryAfterMs: 30_000 })
  expect(flow.wait(flow.turn(ask({ patienceMs: 60_000 }), 'y'), '', 0, 30_000).refused).toBeUndefined()
})

test('patience ends, and who leaves leaves nothing behind', () => {
  const flow = createFlowControl<string>()
  arrive(flow, 'impatient', { patienceMs: 500 })
  const { turn } = arrive(flow, 'leaves', { patienceMs: 5_000 })
  expect(flow.expire(499)).toEqual([])
  expect(flow.expire(500).map(({ work }) => work)).toEqual(['impatient'])
  flow.leave(turn, 600)
  flow.leave(turn, 601)
  expect(flow.size).toBe(0)
  expect(flow.view(700)).toMatchObject([{ waiting: 0, running: 0, tenants: 0, expired: 1, waited: 2 }])
})

test('after any sequence nothing is left in the queue or counted as running', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          what: fc.constantFrom('arrive', 'start', 'pump', 'end', 'leave', 'expire', 'displace'),
          tenant: fc.constantFrom('a', 'b', 'c'),
          tier: fc.constantFrom('priority', 'standard', 'batch'),
          pick: fc.nat(20),
        }),
        { maxLength: 120 },
      ),
      (steps) => {
        const flow = createFlowControl<object>()
        const turns: Turn<object>[] = []
        let nowMs = 0
        const pickOf = (state: Turn<object>['state'], pick: number) => {
          const some = turns.filter((turn) => turn.state === state)
          return some[pick % Math.max(1, some.length)]
        }
        for (const { what, tenant, tier, pick } of steps) {
          nowMs += 50
          const running = pickOf('running', pick)
          const waiting = pickOf('waiting', pick)
          if (what === 'arrive' || what === 'start') {
            const turn = flow.turn(ask({ tenant, tier, inputTokens: pick, patienceMs: 2_000 }), {})
            turns.push(turn)
            if (what === 'arrive') flow.wait(turn, '', nowMs)
            else flow.start(turn, nowMs)
          } else if (what === 'pump') {
            let left = pick % 4
            flow.pump(nowMs, () => left-- > 0)
          } else if (what === 'end' && running) flow.end(running, { ...NO_TOKENS, output: pick })
          else if (what === 'displace' && running) flow.wait(running, '', nowMs)
          else if (what === 'leave' && waiting) flow.leave(waiting, nowMs)
          else if (what === 'expire') flow.expire(nowMs)
          expect(flow.size).toBe(turns.filter(({ state }) => state === 'waiting').length)
        }
        for (const turn of turns)
          if (turn.state === 'waiting') flow.leave(turn, nowMs)
          else flow.end(turn, NO_TOKENS)
        expect(flow.size).toBe(0)
        for (const { waiting, running } of flow.view(nowMs)) expect(waiting + running).toBe(0)
      },
    ),
    { numRuns: 200 },
  )
})

test('a class sees only so much of a supplier, the higher one always more, but each gets something', () => {
  const all = new Set(['priority', 'standard', 'flex', 'batch'] as const)
  const rooms = (limit: number, sold: ReadonlySet<ServiceTier> = all) =>
    ceilingsFor(sold, CLASS_POLICIES).map((ceiling) => roomUnder(ceiling, limit))
  expect(rooms(100)).toEqual([100, 95, 85, 70])
  expect(rooms(20)).toEqual([20, 19, 17, 14])
  expect(rooms(4)).toEqual([4, 3, 2, 1])
  expect(rooms(1)).toEqual([1, 1, 1, 1])
  // Nothing is held back for a class that is not sold there.
  expect(rooms(20, new Set(['standard']))).toEqual([20, 20, 17, 14])
})
