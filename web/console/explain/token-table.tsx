import type { UsageRecord } from '#contract'
import { TOKEN_CLASSES, totalTokens } from '#kernel'
import type { TokenClass } from '#kernel'
import { useFormat, useText } from '../../kit/language.tsx'
import { words } from '../../kit/words.ts'
import { explainText } from './text.ts'

/** The supplier's figures beside our own. What was not counted shows a dash: unknown is not zero. */
export function TokenTable({ record }: { readonly record: UsageRecord }) {
  const text = useText(explainText)
  const common = useText(words)
  const format = useFormat()
  const { reported, counted, tokens } = record
  const figure = (value: number | null | undefined) =>
    value === null || value === undefined ? '–' : format.count(value)
  const countedAs: Partial<Record<TokenClass, number | null>> = counted
    ? { uncachedInput: counted.input, output: counted.output }
    : {}
  const countedTotal =
    counted && counted.input !== null && counted.output !== null ? counted.input + counted.output : null
  return (
    <>
      <div className="table-scroll">
        <table className="table plain" aria-label={text.tokens}>
          <thead>
            <tr>
              <th scope="col">{text.tokenClass}</th>
              <th scope="col" className="numeric">
                {text.reported}
              </th>
              <th scope="col" className="numeric">
                {text.counted}
              </th>
              <th scope="col" className="numeric">
                {text.charged}
              </th>
            </tr>
          </thead>
          <tbody>
            {TOKEN_CLASSES.map((name) => (
              <tr key={name}>
                <td className="lead-cell">{common.tokenClasses[name]}</td>
                <td className="numeric" data-label={text.reported}>
                  {figure(reported?.[name])}
                </td>
                <td className="numeric" data-label={text.counted}>
                  {figure(countedAs[name])}
                </td>
                <td className="numeric" data-label={text.charged}>
                  {figure(tokens[name])}
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td className="lead-cell">{text.total}</td>
              <td className="numeric" data-label={text.reported}>
                {figure(reported && totalTokens(reported))}
              </td>
              <td className="numeric" data-label={text.counted}>
                {figure(countedTotal)}
              </td>
              <td className="numeric" data-label={text.charged}>
                {figure(totalTokens(tokens))}
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
      <p className="cell-note" style={{ marginTop: 8 }}>
        {text.bases[record.basis]} · {counted ? `${text.method(counted.method)} · ${text.bothInputs}` : text.notCounted}
      </p>
      {record.note && <p className="cell-note tone-money">{record.note}</p>}
    </>
  )
}
