import { Checkbox, Input, InputNumber, Select } from 'antd'
import type { ReactNode } from 'react'
import type { Configuration, Offer } from '#contract'
import { Field } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { shopText } from './text.ts'

/** The least that can be bought of an offer, to begin with. */
export function firstConfiguration(offer: Offer): Configuration {
  switch (offer.kind) {
    case 'package':
      return { quantity: 1 }
    case 'throughput-tpm':
      return {
        ...(offer.input ? { inputTpm: offer.input.minUnits * offer.input.unitTokens } : {}),
        ...(offer.output ? { outputTpm: offer.output.minUnits * offer.output.unitTokens } : {}),
        term: offer.term.min,
      }
    case 'provisioned':
      return { units: offer.minUnits, term: offer.term.min }
    case 'spend-per-minute':
      return { yuanPerMinute: offer.minYuanPerMinute, term: offer.term.min }
    case 'plan':
    case 'postpaid':
      return {}
  }
}

/** What the buyer chooses, as far as the offer leaves a choice. What is asked is checked where it is priced. */
export function ConfigurationForm({
  offer,
  value,
  onChange,
}: {
  readonly offer: Offer
  readonly value: Configuration
  readonly onChange: (value: Configuration) => void
}) {
  const text = useText(shopText)
  const format = useFormat()
  const set = (changes: Partial<Configuration>) => onChange({ ...value, ...changes })
  const number = (name: 'quantity' | 'inputTpm' | 'outputTpm' | 'units' | 'term', label: string, note?: ReactNode) => (
    <Field key={name} label={label} htmlFor={`configuration-${name}`} note={note}>
      <InputNumber<number>
        id={`configuration-${name}`}
        min={1}
        precision={0}
        value={value[name] ?? null}
        onChange={(next) => next !== null && set({ [name]: next })}
      />
    </Field>
  )
  return (
    <div className="form-grid" style={{ gap: 12 }}>
      {offer.kind === 'package' && number('quantity', text.quantity)}
      {offer.kind === 'throughput-tpm' && (
        <>
          {offer.input && number('inputTpm', text.inputTpm, text.roundedUpTo(format.count(offer.input.unitTokens)))}
          {offer.output && number('outputTpm', text.outputTpm, text.roundedUpTo(format.count(offer.output.unitTokens)))}
        </>
      )}
      {offer.kind === 'provisioned' &&
        number('units', text.unitCount, text.unitsAndStep(offer.minUnits, offer.stepUnits))}
      {offer.kind === 'spend-per-minute' && (
        <Field label={text.yuanPerMinute} htmlFor="configuration-yuan">
          <Input
            id="configuration-yuan"
            prefix="¥"
            inputMode="decimal"
            maxLength={20}
            value={value.yuanPerMinute ?? ''}
            onChange={(event) => set({ yuanPerMinute: event.target.value })}
          />
        </Field>
      )}
      {'term' in offer && number('term', `${text.term} (${text.spans[offer.term.per]})`)}
      {'overflow' in offer && (
        <Field label={text.overflow} htmlFor="configuration-overflow">
          <Select
            id="configuration-overflow"
            value={value.overflow ?? offer.overflow}
            options={(['next', 'reject'] as const).map((one) => ({ value: one, label: text.overflows[one] }))}
            onChange={(overflow: 'next' | 'reject') => set({ overflow })}
          />
        </Field>
      )}
      {offer.kind !== 'postpaid' && (
        <Checkbox
          checked={value.autoRenew ?? offer.kind === 'plan'}
          onChange={(event) => set({ autoRenew: event.target.checked })}
        >
          {text.autoRenew}
        </Checkbox>
      )}
    </div>
  )
}
