import type { AgreementState, CallOffState, LotState, PackageState, ProjectState } from '#contract'

/** Which state may follow which. What is not here cannot happen. */
type Edges<State extends string> = Readonly<Record<State, readonly State[]>>

/** S-01 of the domain: a project goes as far as its furthest package has gone. */
export const PROJECT_EDGES: Edges<ProjectState> = {
  draft: ['announced', 'cancelled'],
  announced: ['bidding', 'cancelled'],
  bidding: ['evaluated', 'cancelled'],
  evaluated: ['published', 'cancelled'],
  published: ['awarded', 'cancelled'],
  awarded: ['contracted', 'cancelled'],
  contracted: ['running', 'cancelled'],
  running: ['closed'],
  closed: [],
  cancelled: [],
}

/** An objection that is upheld sends a package back to its evaluation. */
export const PACKAGE_EDGES: Edges<PackageState> = {
  pending: ['open', 'cancelled'],
  open: ['evaluated', 'cancelled'],
  evaluated: ['published', 'open', 'cancelled'],
  published: ['awarded', 'evaluated', 'cancelled'],
  awarded: ['contracted', 'cancelled'],
  contracted: ['closed'],
  closed: [],
  cancelled: [],
}

export const AGREEMENT_EDGES: Edges<AgreementState> = {
  draft: ['inApproval', 'terminated'],
  inApproval: ['signed', 'draft', 'terminated'],
  signed: ['active', 'terminated'],
  active: ['suspended', 'expired', 'terminated'],
  suspended: ['active', 'expired', 'terminated'],
  expired: [],
  terminated: [],
}

export const CALL_OFF_EDGES: Edges<CallOffState> = {
  draft: ['issued', 'terminated'],
  issued: ['acknowledged', 'terminated'],
  acknowledged: ['inDelivery', 'terminated'],
  inDelivery: ['delivered', 'terminated'],
  delivered: ['accepted', 'rejected', 'terminated'],
  rejected: ['inDelivery', 'terminated'],
  accepted: ['inService', 'terminated'],
  inService: ['completed', 'terminated'],
  completed: [],
  terminated: [],
}

export const LOT_EDGES: Edges<LotState> = {
  active: ['suspended', 'revoked', 'expired'],
  suspended: ['active', 'revoked', 'expired'],
  revoked: [],
  expired: [],
}

export const EDGES = {
  project: PROJECT_EDGES,
  package: PACKAGE_EDGES,
  agreement: AGREEMENT_EDGES,
  call_off: CALL_OFF_EDGES,
  lot: LOT_EDGES,
} as const
export type Subject = keyof typeof EDGES

export function isLegal(subject: Subject, from: string, to: string): boolean {
  const edges: Readonly<Record<string, readonly string[]>> = EDGES[subject]
  return edges[from]?.includes(to) ?? false
}

/** The states between `from` and `to` on a project's main road, `to` included; empty if it is not ahead. */
export function wayOf(from: ProjectState, to: ProjectState): ProjectState[] {
  const road: ProjectState[] = [
    'draft',
    'announced',
    'bidding',
    'evaluated',
    'published',
    'awarded',
    'contracted',
    'running',
  ]
  return road.slice(road.indexOf(from) + 1, road.indexOf(to) + 1)
}
