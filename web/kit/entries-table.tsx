import { dictionary, names, useFormat, useText } from './language.tsx'

const entriesText = dictionary(
  {
    account: '科目',
    debit: '借方',
    credit: '贷方',
    names: names({
      '1000': '银行',
      '1010': '支付通道清算',
      '1100': '应收账款（已出账）',
      '1110': '应收账款（未出账）',
      '1190': '超额待收',
      '2000': '客户钱包（已付）',
      '2001': '赠金与 SLA 补偿',
      '2009': '已发赠金（备抵）',
      '2010': '递延收入',
      '2110': '应付供应商',
      '2200': '已开票销项税',
      '2210': '待开票销项税',
      '2400': '应付退款',
      '4000': '用量收入',
      '4010': '套餐与预留收入',
      '4020': '过期收入',
      '4100': '折让（备抵）',
      '5000': '推理成本',
      '5020': '尾差',
      '5030': '坏账核销',
      '5040': '不可计费推理成本',
      '8000': '已发行单位',
      '8010': '词元包余量',
      '8020': '已消耗单位',
      '8030': '已过期单位',
    }),
  },
  {
    account: 'Account',
    debit: 'Debit',
    credit: 'Credit',
    names: {
      '1000': 'Bank',
      '1010': 'PSP clearing',
      '1100': 'Receivable, invoiced',
      '1110': 'Receivable, unbilled',
      '1190': 'Overrun',
      '2000': 'Customer wallet',
      '2001': 'Gifts and SLA credits',
      '2009': 'Gifts issued (contra)',
      '2010': 'Deferred revenue',
      '2110': 'Accrued supplier cost',
      '2200': 'Output VAT, billed',
      '2210': 'Output VAT, unbilled',
      '2400': 'Refunds payable',
      '4000': 'Usage revenue',
      '4010': 'Package and reservation revenue',
      '4020': 'Breakage',
      '4100': 'Credits and discounts (contra)',
      '5000': 'Inference cost',
      '5020': 'Rounding',
      '5030': 'Write-off',
      '5040': 'Non-billable inference',
      '8000': 'Units issued',
      '8010': 'Units in packages',
      '8020': 'Units consumed',
      '8030': 'Units expired',
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
  /** Accounts of tokens are kept in the unit of their conversion table, which is the last part of their name. */
  const write = (account: string, amount: bigint) =>
    account < '8000' ? format.fineMoney(amount) : `${format.units(amount)} ${/[^:/]*$/.exec(account)?.[0] ?? ''}`
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
                  <code className="wrap">{account}</code>{' '}
                  <span className="cell-note">{text.names[account.split(':')[0] ?? ''] ?? ''}</span>
                </td>
                <td className="numeric" data-label={text.debit}>
                  {amount > 0n ? write(account, amount) : ''}
                </td>
                <td className="numeric" data-label={text.credit}>
                  {amount < 0n ? write(account, -amount) : ''}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
