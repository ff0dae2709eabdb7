import { dictionary, names, useFormat, useText } from './language.tsx'

const entriesText = dictionary(
  {
    account: '科目',
    debit: '借方',
    credit: '贷方',
    names: names({
      '1010': '支付通道清算',
      '2000': '客户钱包',
      '4000': '用量收入',
      '2210': '待开票销项税',
      '5000': '推理成本',
      '5040': '不可计费推理成本',
      '2110': '应付供应商',
    }),
  },
  {
    account: 'Account',
    debit: 'Debit',
    credit: 'Credit',
    names: {
      '1010': 'PSP clearing',
      '2000': 'Customer wallet',
      '4000': 'Usage revenue',
      '2210': 'Output VAT, unbilled',
      '5000': 'Inference cost',
      '5040': 'Non-billable inference',
      '2110': 'Accrued supplier cost',
    },
  },
)

interface Entry {
  readonly account: string
  readonly amountPico: string
}

/** Entries of a posting in two columns; a positive amount is a debit, a negative one a credit. */
export function EntriesTable({ label, entries }: { readonly label: string; readonly entries: readonly Entry[] }) {
  const text = useText(entriesText)
  const format = useFormat()
  return (
    <div className="table-scroll">
      <table className="table entries" aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{text.account}</th>
            <th scope="col" className="numeric">
              {text.debit}
            </th>
            <th scope="col" className="numeric">
              {text.credit}
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ account, amountPico }, index) => {
            const amount = BigInt(amountPico)
            return (
              <tr key={`${index}-${account}`}>
                <td className="lead-cell">
                  <code>{account}</code>{' '}
                  <span className="cell-note">{text.names[account.split(':')[0] ?? ''] ?? ''}</span>
                </td>
                <td className="numeric" data-label={text.debit}>
                  {amount > 0n ? format.fineMoney(amount) : ''}
                </td>
                <td className="numeric" data-label={text.credit}>
                  {amount < 0n ? format.fineMoney(-amount) : ''}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
