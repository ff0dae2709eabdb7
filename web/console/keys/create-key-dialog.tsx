import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input, InputNumber, Modal, Select } from 'antd'
import type * as z from 'zod'
import { NewKey } from '#contract'
import type { CreateKeyRequest } from '#contract'
import { post } from '../../kit/api.ts'
import { useText } from '../../kit/language.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { useScope, useTenants } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { keysText } from './text.ts'

const DAY_MS = 86_400_000
const EXPIRIES_MS = {
  never: null,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  quarter: 90 * DAY_MS,
  year: 365 * DAY_MS,
} as const
type Expiry = keyof typeof EXPIRIES_MS

interface Draft {
  readonly tenant?: string
  readonly name: string
  readonly expiry: Expiry
  readonly requestsPerMinute?: number | null
  readonly tokensPerMinute?: number | null
  readonly maxConcurrency?: number | null
}

interface Props {
  readonly open: boolean
  readonly onClose: () => void
  readonly onMade: (key: z.infer<typeof NewKey>) => void
}

export function CreateKeyDialog({ open, onClose, onMade }: Props) {
  const text = useText(keysText)
  return (
    <Modal open={open} onCancel={onClose} title={text.create} footer={null} destroyOnHidden width={480}>
      <CreateKeyForm onMade={onMade} />
    </Modal>
  )
}

function CreateKeyForm({ onMade }: Pick<Props, 'onMade'>) {
  const text = useText(keysText)
  const common = useText(words)
  const { isOperator, tenant } = useScope()
  const tenants = useTenants()
  const queries = useQueryClient()
  const create = useMutation({
    mutationFn: (draft: Draft) => post('/keys', NewKey, requestOf(draft, draft.tenant ?? tenant ?? '')),
    onSuccess: async (key) => {
      onMade(key)
      await queries.invalidateQueries({ queryKey: ['keys'] })
    },
  })
  const limit = <InputNumber min={1} precision={0} placeholder={common.unlimited} />
  return (
    <Form<Draft>
      layout="vertical"
      requiredMark={false}
      initialValues={{ tenant, expiry: 'never' }}
      onFinish={(draft) => create.mutate(draft)}
    >
      {isOperator && (
        <Form.Item name="tenant" label={common.tenant} rules={[{ required: true, message: text.tenantMissing }]}>
          <Select
            options={(tenants.data ?? []).map(({ id, displayName }) => ({
              value: id,
              label: `${displayName} (${id})`,
            }))}
          />
        </Form.Item>
      )}
      <Form.Item
        name="name"
        label={text.name}
        rules={[{ required: true, whitespace: true, message: text.nameMissing }]}
      >
        <Input maxLength={64} autoComplete="off" />
      </Form.Item>
      <Form.Item name="expiry" label={text.expiry}>
        <Select
          options={(Object.keys(EXPIRIES_MS) as Expiry[]).map((value) => ({ value, label: text.expiries[value] }))}
        />
      </Form.Item>
      <div className="form-grid">
        <Form.Item name="requestsPerMinute" label={text.requestsPerMinute}>
          {limit}
        </Form.Item>
        <Form.Item name="tokensPerMinute" label={text.tokensPerMinute}>
          {limit}
        </Form.Item>
        <Form.Item name="maxConcurrency" label={text.maxConcurrency}>
          {limit}
        </Form.Item>
      </div>
      <p className="cell-note" style={{ marginBottom: 12 }}>
        {text.limitsHelp}
      </p>
      <div className="stack">
        {create.isError && <ProblemNotice error={create.error} />}
        <Button type="primary" htmlType="submit" block loading={create.isPending}>
          {text.create}
        </Button>
      </div>
    </Form>
  )
}

function requestOf(draft: Draft, tenant: string): z.infer<typeof CreateKeyRequest> {
  const lifeMs = EXPIRIES_MS[draft.expiry]
  return {
    tenant,
    name: draft.name.trim(),
    expiresAtMs: lifeMs === null ? null : Date.now() + lifeMs,
    limits: {
      ...(draft.requestsPerMinute ? { requestsPerMinute: draft.requestsPerMinute } : {}),
      ...(draft.tokensPerMinute ? { tokensPerMinute: draft.tokensPerMinute } : {}),
      ...(draft.maxConcurrency ? { maxConcurrency: draft.maxConcurrency } : {}),
    },
  }
}
