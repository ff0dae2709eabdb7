import { useQuery } from '@tanstack/react-query'
import { BalanceView } from '#contract'
import { get } from '../../kit/api.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { MeterStrip } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { balanceText } from './text.ts'

/** One tenant's wallet: what is booked, what gateways hold of it, what is left. */
export function Wallet({ tenant }: { readonly tenant: string }) {
  const text = useText(balanceText)
  const format = useFormat()
  const { tenantQuery } = useScope()
  const balance = useQuery({
    queryKey: ['balance', tenant],
    queryFn: ({ signal }) => get('/balance', BalanceView, { query: { tenant: tenantQuery }, signal }),
    refetchInterval: 5000,
  })
  return (
    <QueryView query={balance} rows={2}>
      {({ postedPico, escrowedPico, availablePico }) => (
        <MeterStrip
          label={text.use}
          meters={[
            {
              label: text.available,
              value: format.money(availablePico),
              note: text.availableNote,
              ...(BigInt(availablePico) <= 0n ? { tone: 'bad' as const } : {}),
            },
            { label: text.posted, value: format.money(postedPico), note: text.postedNote },
            { label: text.escrowed, value: format.money(escrowedPico), note: text.escrowedNote },
          ]}
        />
      )}
    </QueryView>
  )
}
