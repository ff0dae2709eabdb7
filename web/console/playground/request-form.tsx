import { Button, Form, Input, InputNumber, Select, Slider } from 'antd'
import type { ServiceView } from '#contract'
import { useText } from '../../kit/language.tsx'
import { Panel } from '../../kit/layout.tsx'
import { playgroundText } from './text.ts'

export interface ChatDraft {
  readonly service: string
  readonly system: string
  readonly user: string
  readonly maxTokens: number
  readonly temperature: number
}

interface Props {
  readonly draft: ChatDraft
  readonly services: readonly ServiceView[]
  readonly running: boolean
  /** Why nothing can be sent, or null. */
  readonly blocked: string | null
  readonly onChange: (draft: ChatDraft) => void
  readonly onSend: () => void
  readonly onStop: () => void
}

export function RequestForm({ draft, services, running, blocked, onChange, onSend, onStop }: Props) {
  const text = useText(playgroundText)
  const set = (changes: Partial<ChatDraft>) => onChange({ ...draft, ...changes })
  const maxOutputTokens = services.find(({ id }) => id === draft.service)?.maxOutputTokens ?? 1
  const sendable = blocked === null && draft.user.trim() !== '' && !running
  return (
    <Panel title={text.request}>
      <Form layout="vertical" onFinish={() => sendable && onSend()}>
        <Form.Item label={text.service} htmlFor="playground-service">
          <Select
            id="playground-service"
            value={draft.service}
            options={services.map(({ id, displayName }) => ({
              value: id,
              label: displayName === id ? id : `${id} · ${displayName}`,
            }))}
            onChange={(service: string) =>
              set({
                service,
                maxTokens: Math.min(
                  draft.maxTokens,
                  services.find(({ id }) => id === service)?.maxOutputTokens ?? draft.maxTokens,
                ),
              })
            }
          />
        </Form.Item>
        <Form.Item label={text.system} htmlFor="playground-system">
          <Input.TextArea
            id="playground-system"
            rows={2}
            placeholder={text.systemHint}
            value={draft.system}
            onChange={(event) => set({ system: event.target.value })}
          />
        </Form.Item>
        <Form.Item label={text.user} htmlFor="playground-user">
          <Input.TextArea
            id="playground-user"
            rows={5}
            placeholder={text.userHint}
            value={draft.user}
            onChange={(event) => set({ user: event.target.value })}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.metaKey || event.ctrlKey) && sendable) onSend()
            }}
          />
        </Form.Item>
        <div className="form-grid">
          <Form.Item label={text.maxTokens} htmlFor="playground-max">
            <InputNumber
              id="playground-max"
              min={1}
              max={maxOutputTokens}
              precision={0}
              value={draft.maxTokens}
              onChange={(maxTokens) => set({ maxTokens: maxTokens ?? maxOutputTokens })}
            />
          </Form.Item>
          <Form.Item label={`${text.temperature} ${draft.temperature.toFixed(1)}`}>
            <Slider
              ariaLabelForHandle={text.temperature}
              min={0}
              max={2}
              step={0.1}
              value={draft.temperature}
              onChange={(temperature) => set({ temperature })}
            />
          </Form.Item>
        </div>
        {blocked !== null && (
          <div className="notice notice-warn" style={{ marginBottom: 12 }}>
            {blocked}
          </div>
        )}
        <div className="row">
          <Button type="primary" htmlType="submit" disabled={!sendable}>
            {text.send}
          </Button>
          <Button danger disabled={!running} onClick={onStop}>
            {text.stop}
          </Button>
        </div>
      </Form>
    </Panel>
  )
}
