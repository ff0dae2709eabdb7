import { conformanceTable } from '../conformance/html-report.ts'
import { html, page } from '../html.ts'
import type { Markup } from '../html.ts'
import type { AcceptanceReport } from './model/report.ts'
import type { SignedReport } from './sign.ts'

const WIDTH = 800
const HEIGHT = 180

/** Dots over time, with the promised limit as a line. Drawn as SVG, so that the page needs nothing else. */
function plot(title: string, points: readonly { x: number; y: number }[], limit: number | null): Markup {
  const maxX = Math.max(1, ...points.map(({ x }) => x))
  const maxY = Math.max(1, limit ?? 0, ...points.map(({ y }) => y)) * 1.05
  const at = ({ x, y }: { x: number; y: number }) => ({ cx: (x / maxX) * WIDTH, cy: HEIGHT - (y / maxY) * HEIGHT })
  const dots = points.map((point) => {
    const { cx, cy } = at(point)
    return html`<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="2" fill="#2f6fb2" fill-opacity=".55" />`
  })
  const y = limit === null ? 0 : HEIGHT - (limit / maxY) * HEIGHT
  const line =
    limit === null
      ? html``
      : html`<line
          x1="0"
          x2="${WIDTH}"
          y1="${y.toFixed(1)}"
          y2="${y.toFixed(1)}"
          stroke="#b3261e"
          stroke-dasharray="6 4"
        />`
  return html`<h3>${title}</h3>
    <svg viewBox="-4 -4 ${WIDTH + 8} ${HEIGHT + 24}" role="img" aria-label="${title}">
      <rect width="${WIDTH}" height="${HEIGHT}" fill="#f6f8fa" />
      ${dots}${line}
      <text x="0" y="${HEIGHT + 16}" font-size="12">0 s</text>
      <text x="${WIDTH}" y="${HEIGHT + 16}" font-size="12" text-anchor="end">${(maxX / 1000).toFixed(0)} s</text>
      <text x="4" y="12" font-size="12">${maxY.toFixed(0)}</text>
    </svg>`
}

export function acceptanceHtml(report: AcceptanceReport, signed: SignedReport): string {
  const { load, identity, samples, unit } = report
  const rows = load.judgements.map(
    ({ name, asked, measured, passed }) =>
      html`<tr>
        <td>${name}</td>
        <td>${asked}</td>
        <td>${measured}</td>
        <td class="${passed ? 'pass' : 'fail'}">${passed ? 'pass' : 'FAIL'}</td>
      </tr>`,
  )
  const times = (name: 'ttftMs' | 'tpotMs') =>
    samples.flatMap((each) => (each[name] === null ? [] : [{ x: each.atMs, y: each[name] }]))
  const told = identity.result
    ? `compared with ${identity.comparedWith ?? ''}: distance ${identity.result.distance.toFixed(3)}, chance ${identity.result.pValue.toFixed(4)}, ${identity.result.isSame ? 'the same model as far as these questions tell' : 'NOT the same model'}`
    : 'recorded: later runs are compared with this one'
  return page(
    `Acceptance of ${report.callOff}`,
    html`<p class="${report.passed ? 'pass' : 'fail'}">
        ${report.passed ? 'Accepted: everything is as agreed.' : 'Not accepted.'}
      </p>
      <p>
        ${report.supplier}, ${report.model} at <code>${report.baseUrl}</code>; ${report.units} units of
        ${unit.displayName} under ${report.agreement}; ${new Date(report.startedAtMs).toISOString()} to
        ${new Date(report.endedAtMs).toISOString()}, run by ${report.runBy}.
      </p>
      <h2>Load</h2>
      <p>
        ${load.requests} requests in ${(load.lengthMs / 1000).toFixed(0)} s (${report.arrivals}), ${load.failures}
        failed, ${load.outputPerMinute.toFixed(0)} output tokens per minute.
      </p>
      <table>
        <thead>
          <tr>
            <th>Measure</th>
            <th>Agreed</th>
            <th>Measured</th>
            <th>Result</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
      ${plot('Time to first token, ms', times('ttftMs'), unit.ttft.atMostMs)}
      ${plot('Time per output token, ms', times('tpotMs'), unit.tpot.atMostMs)}
      ${plot(
        'Output tokens per minute, by window',
        load.windows.map(({ fromMs, outputPerMinute }) => ({ x: fromMs, y: outputPerMinute })),
        null,
      )}
      <h2>Identity</h2>
      <p>First words at temperature 0: ${told}.</p>
      <h2>Conformance</h2>
      ${conformanceTable(report.conformance)}
      <h2>Signature</h2>
      <p>SHA-256 <code>${signed.hash}</code><br />Ed25519 <code>${signed.signature}</code></p>
      <pre>${signed.publicKey}</pre>`,
  )
}
