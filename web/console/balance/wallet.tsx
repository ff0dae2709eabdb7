import { useQuery } from '@tanstack/react-query'
import { BalanceView } from '#contract'
import { get } from '../../kit/api.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { MeterStrip } from '../../kit/layout.tsx'
import type { Meter } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { balanceText } from './text.ts'

/** One tenant's wallet: what is booked, what of it is paid, given or owed, what gateways hold, what is left. */
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
      {(wallet) => {
        const [paid, gift, limit, overrun] = [
          BigInt(wallet.paidPico),
          BigInt(wallet.giftPico),
          BigInt(wallet.creditLimitPico),
          BigInt(wallet.overrunPico),
        ]
        // What posted lacks of the lots is credit in use.
        const creditUsed = paid + gift - BigInt(wallet.postedPico)
        const meters: readonly Meter[] = [
          {
            label: text.available,
            value: format.money(wallet.availablePico),
            note: text.availableNote,
            ...(BigInt(wallet.availablePico) <= 0n ? { tone: 'bad' as const } : {}),
          },
          { label: text.posted, value: format.money(wallet.postedPico), note: text.postedNote },
          { label: text.escrowed, value: format.money(wallet.escrowedPico), note: text.escrowedNote },
          { label: text.paid, value: format.money(paid), note: text.paidNote },
          ...(gift > 0n ? [{ label: text.gift, value: format.money(gift), note: text.giftNote }] : []),
          ...(limit > 0n || creditUsed > 0n
            ? [
                {
                  label: text.credit,
                  value: format.money(creditUsed),
                  note: text.creditNote(format.money(limit)),
                  ...(creditUsed >= limit ? { tone: 'bad' as const } : {}),
                },
              ]
            : []),
          ...(overrun > 0n
            ? [{ label: text.overrun, value: format.money(overrun), note: text.overrunNote, tone: 'bad' as const }]
            : []),
        ]
        return <MeterStrip label={text.use} meters={meters} />
      }}
    </QueryView>
  )
}
