import { html, page } from '../html.ts'
import type { Markup } from '../html.ts'
import type { ConformanceReport, Verdict } from './model.ts'

const WORDS: Readonly<Record<Verdict, string>> = { pass: 'pass', fail: 'FAIL', not_applicable: 'n/a' }

/** The checks of a report as a table. */
export function conformanceTable({ results }: Pick<ConformanceReport, 'results'>): Markup {
  const rows = results.map(
    ({ id, asks, verdict, saw }) =>
      html`<tr>
        <td><code>${id}</code></td>
        <td>${asks}</td>
        <td class="${verdict}">${WORDS[verdict]}</td>
        <td>${saw}</td>
      </tr>`,
  )
  return html`<table>
    <thead>
      <tr>
        <th>Check</th>
        <th>What must be true</th>
        <th>Result</th>
        <th>What was seen</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

export function conformanceHtml(report: ConformanceReport): string {
  const { baseUrl, model, passed, failed, notApplicable, conforms, requests, tokenizer, startedAtMs } = report
  const verdict = conforms
    ? html`<p class="pass">The endpoint conforms.</p>`
    : html`<p class="fail">The endpoint does not conform.</p>`
  const facts = html`<p>
    ${model} at <code>${baseUrl}</code>, ${new Date(startedAtMs).toISOString()}: ${passed} passed, ${failed} failed,
    ${notApplicable} not applicable, ${requests} requests. Counted with ${tokenizer ?? 'no tokenizer'}.
  </p>`
  return page(`Conformance of ${model}`, html`${verdict}${facts}${conformanceTable(report)}`)
}
