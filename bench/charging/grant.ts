import { quantile } from '../rig/measure.ts'
import { count, ms, us } from './row.ts'
import type { Row } from './row.ts'
import { JOURNAL } from './world.ts'
import type { World } from './world.ts'

const AT_ONCE = 16

/** Slices, each in a durable transaction: 16 gateways at once. */
export async function grantSection(world: World, grants: number): Promise<Row[]> {
  return [
    ...(await measure(world, { what: 'one hot wallet', tenants: 1, grants })),
    ...(await measure(world, { what: '1,000 wallets', tenants: 1000, grants })),
  ]
}

async function measure(
  world: World,
  { what, tenants, grants }: { what: string; tenants: number; grants: number },
): Promise<Row[]> {
  const { charging } = world
  const name = `grant${tenants}`
  for (let n = 0; n < tenants; n++)
    await charging.topup({ tenant: `${name}-${n}`, amountPico: 10n ** 18n, reference: `pay-${name}-${n}` })
  const took: number[] = []
  let next = 0
  const gateway = async (index: number): Promise<void> => {
    const id = `gw-${name}-${index}`
    const { epoch } = await charging.register({ gateway: id, journal: JOURNAL })
    for (let seq = 1; next < grants; seq++) {
      const bucket = `wallet:${name}-${(next++ * 7) % tenants}`
      const at = performance.now()
      const reply = await charging.grant({ gateway: id, epoch, seq, bucket, min: '1', want: '1000000000' })
      took.push(performance.now() - at)
      if (reply.outcome !== 'granted') throw new Error(JSON.stringify(reply))
    }
  }
  const cpu = process.cpuUsage()
  const postgresBefore = world.postgresCpu()
  const started = performance.now()
  await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => gateway(index)))
  const perSecond = (took.length * 1000) / (performance.now() - started)
  const used = process.cpuUsage(cpu)
  const [node, postgres] = [
    (used.user + used.system) / took.length,
    (world.postgresCpu() - postgresBefore) / took.length,
  ]
  took.sort((a, b) => a - b)
  const latency: Row = {
    what: `slice grants, ${what}, ${AT_ONCE} at once: p99`,
    measured: `${ms(quantile(took, 0.99))}; p50 ${ms(quantile(took, 0.5))}, ${count(perSecond)}/s`,
    target: '≤ 50 ms',
    reached: quantile(took, 0.99) <= 50,
  }
  return [
    latency,
    { what: `slice grants, ${what}: CPU per grant`, measured: `${us(node)} Node + ${us(postgres)} PostgreSQL` },
  ]
}
