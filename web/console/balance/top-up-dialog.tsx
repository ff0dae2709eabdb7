import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { BalanceView } from '#contract'
import { formatYuan } from '#kernel'
import { post } from '../../kit/api.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { Facts } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { useScope, useTenants } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { parseTopUp } from './posting-amounts.ts'
import { balanceText } from './text.ts'

interface TopUp {
  readonly tenant: string
  readonly amountYuan: string
  readonly reference: string
}

/** Two steps on purpose: what is typed first, then the exact amount, tenant and resulting balance to agree to. */
export function TopUpDialog({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const text = useText(balanceText)
  const [draft, setDraft] = useState<TopUp | null>(null)
  const close = () => {
    setDraft(null)
    onClose()
  }
  return (
    <Modal
      open={open}
      onCancel={close}
      title={draft ? text.confirmTitle : text.topUpTitle}
      footer={null}
      destroyOnHidden
      width={460}
    >
      <Entry hidden={draft !== null} onDone={setDraft} />
      {draft && <Confirmation draft={draft} onBack={() => setDraft(null)} onDone={close} />}
    </Modal>
  )
}

function Entry({ hidden, onDone }: { readonly hidden: boolean; readonly onDone: (draft: TopUp) => void }) {
  const text = useText(balanceText)
  const common = useText(words)
  const { tenant } = useScope()
  const tenants = useTenants()
  const amountRule = {
    validator: (_: unknown, value: string | undefined) =>
      !value || parseTopUp(value) !== undefined ? Promise.resolve() : Promise.reject(new Error(text.amountInvalid)),
  }
  return (
    <Form<TopUp>
      layout="vertical"
      requiredMark={false}
      style={hidden ? { display: 'none' } : {}}
      initialValues={{ tenant, reference: newReference() }}
      onFinish={(draft) => onDone({ ...draft, amountYuan: formatYuan(parseTopUp(draft.amountYuan) ?? 0n) })}
    >
      <Form.Item name="tenant" label={common.tenant} rules={[{ required: true, message: text.tenantMissing }]}>
        <Select
          options={(tenants.data ?? []).map(({ id, displayName }) => ({ value: id, label: `${displayName} (${id})` }))}
        />
      </Form.Item>
      <Form.Item
        name="amountYuan"
        label={text.amount}
        rules={[{ required: true, message: text.amountMissing }, amountRule]}
      >
        <Input inputMode="decimal" prefix="¥" maxLength={32} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="reference"
        label={text.reference}
        extra={text.referenceHelp}
        rules={[{ required: true, message: text.referenceMissing }]}
      >
        <Input maxLength={128} autoComplete="off" />
      </Form.Item>
      <Button type="primary" htmlType="submit" block>
        {text.next}
      </Button>
    </Form>
  )
}

function Confirmation({
  draft,
  onBack,
  onDone,
}: {
  readonly draft: TopUp
  readonly onBack: () => void
  readonly onDone: () => void
}) {
  const text = useText(balanceText)
  const common = useText(words)
  const format = useFormat()
  const { message } = App.useApp()
  const queries = useQueryClient()
  const tenant = useTenants().data?.find(({ id }) => id === draft.tenant)
  const amount = parseTopUp(draft.amountYuan) ?? 0n
  const topUp = useMutation({
    mutationFn: () => post('/topups', BalanceView, draft),
    onSuccess: async (balance) => {
      void message.success(text.done(format.money(balance.postedPico)))
      onDone()
      await Promise.all(['tenants', 'balance', 'ledger'].map((name) => queries.invalidateQueries({ queryKey: [name] })))
    },
  })
  return (
    <div className="stack">
      <Facts
        facts={[
          [common.tenant, tenant ? `${tenant.displayName} (${tenant.id})` : draft.tenant],
          [
            text.amount,
            <b key="amount" className="tone-money">
              {format.money(amount)}
            </b>,
          ],
          [text.reference, draft.reference],
          ...(tenant
            ? ([
                [text.before, format.money(tenant.postedPico)],
                [text.after, format.money(BigInt(tenant.postedPico) + amount)],
              ] as const)
            : []),
        ]}
      />
      {topUp.isError && <ProblemNotice error={topUp.error} />}
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Button onClick={onBack} disabled={topUp.isPending}>
          {text.back}
        </Button>
        <Button type="primary" loading={topUp.isPending} onClick={() => topUp.mutate()}>
          {text.confirm(format.money(amount))}
        </Button>
      </div>
    </div>
  )
}

/** A reference that no earlier payment had, for payments that bring none of their own. */
function newReference(): string {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1))
  return `console-${new Date().toISOString().slice(0, 10)}-${word.toString(36)}`
}
