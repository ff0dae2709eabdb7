import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import * as z from 'zod'
import { InvitationView } from '#contract'
import { get, post } from '../../kit/api.ts'
import { useText } from '../../kit/language.tsx'
import { Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { useScope } from '../../kit/scope.tsx'
import { shopText } from './text.ts'

/** Who has offered to pay for this tenant, and what it says to that. Nothing where nobody has. */
export function Invitations() {
  const text = useText(shopText)
  const { tenant, tenantQuery } = useScope()
  const queries = useQueryClient()
  const invitations = useQuery({
    queryKey: ['invitations', tenantQuery],
    queryFn: ({ signal }) => get('/invitations', z.array(InvitationView), { query: { tenant: tenantQuery }, signal }),
    enabled: tenant !== null,
  })
  const answer = useMutation({
    mutationFn: ({ invitation, what }: { readonly invitation: InvitationView; readonly what: 'accept' | 'leave' }) =>
      post(`/subscriptions/${encodeURIComponent(invitation.subscription)}/members/${what}`, z.array(InvitationView), {
        tenant: invitation.tenant,
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['invitations'] })
      await queries.invalidateQueries({ queryKey: ['means'] })
    },
  })
  if (!invitations.data || invitations.data.length === 0) return null
  return (
    <Panel title={text.invitations}>
      <div className="stack" style={{ gap: 6 }}>
        {invitations.data.map((invitation) => (
          <div key={invitation.subscription} className="row">
            <span>{text.invitedBy(invitation.owner, invitation.offer)}</span>
            <Button
              size="small"
              type="primary"
              disabled={answer.isPending}
              onClick={() => answer.mutate({ invitation, what: 'accept' })}
            >
              {text.accept}
            </Button>
            <Button
              size="small"
              disabled={answer.isPending}
              onClick={() => answer.mutate({ invitation, what: 'leave' })}
            >
              {text.decline}
            </Button>
          </div>
        ))}
        <p className="cell-note">{text.invitationsMore}</p>
        {answer.isError && <ProblemNotice error={answer.error} />}
      </div>
    </Panel>
  )
}
