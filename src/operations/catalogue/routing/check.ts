import { FactoryService, FactorySupplier, FactoryLink } from '#contract'
import type { Say } from '../factory-lines.ts'
import { field, items } from '../factory-parts.ts'

const WHOLE_PPM = 1_000_000

/** What concerns more than one member of what a file says of routing. */
export function checkRouting(root: unknown, isService: (id: string) => boolean, say: Say): void {
  checkLinks(root, say)
  checkCommitments(root, isService, say)
  const { sla } = FactoryService.shape
  for (const [index, service] of items(root, 'services').entries()) {
    const classes = new Set<string>()
    const targets = sla.safeParse(field(service, 'sla'))
    for (const [position, target] of (targets.success ? (targets.data ?? []) : []).entries()) {
      if (classes.has(target.class))
        say(['services', index, 'sla', position, 'class'], `${target.class} already has its targets`)
      classes.add(target.class)
    }
  }
}

function checkLinks(root: unknown, say: Say): void {
  const pairs = new Set<string>()
  for (const [index, item] of items(root, 'links').entries()) {
    const link = FactoryLink.safeParse(item)
    if (!link.success) continue
    const pair = [link.data.from, link.data.to].toSorted().join(' ')
    if (pairs.has(pair)) say(['links', index], 'these two regions are already linked: a link is both ways')
    pairs.add(pair)
  }
}

function checkCommitments(root: unknown, isService: (id: string) => boolean, say: Say): void {
  const ids = new Set<string>()
  const least = new Map<string, number>()
  const schema = FactorySupplier.shape.commitments.unwrap().element
  for (const [index, supplier] of items(root, 'suppliers').entries())
    for (const [position, item] of items(supplier, 'commitments').entries()) {
      const parsed = schema.safeParse(item)
      if (!parsed.success) continue
      const path = ['suppliers', index, 'commitments', position]
      const commitment = parsed.data
      if (ids.has(commitment.id)) say([...path, 'id'], `${commitment.id} is already declared above`)
      ids.add(commitment.id)
      for (const [place, service] of commitment.services.entries())
        if (!isService(service)) say([...path, 'services', place], `there is no service ${service}`)
      if (commitment.kind !== 'share') continue
      const all = (least.get(commitment.group) ?? 0) + commitment.minPercent
      least.set(commitment.group, all)
      if (all > WHOLE_PPM)
        say([...path, 'minPercent'], `the minimum shares of ${commitment.group} are more than all there is`)
    }
}
