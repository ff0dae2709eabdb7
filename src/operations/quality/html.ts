/** Text of a page. Everything that is put into a template by `html` is escaped, unless it is itself made by `html`. */
export interface Markup {
  readonly markup: string
}

type Part = Markup | string | number | readonly Part[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function markupOf(part: Part): string {
  if (typeof part === 'object' && 'markup' in part) return part.markup
  if (typeof part === 'object') return part.map(markupOf).join('')
  return String(part).replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter)
}

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: strings.map((text, at) => text + (at < parts.length ? markupOf(parts[at] ?? '') : '')).join('') }
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2530}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #dde3ea}th{font-weight:600}
.pass{color:#11703c}.fail{color:#b3261e;font-weight:600}.not_applicable{color:#6a7683}code{font-size:.9em;overflow-wrap:anywhere}
svg{width:100%;height:auto}.r{text-align:right;font-variant-numeric:tabular-nums}@media print{body{margin:0}}`

/** A page that needs nothing else: no script, no picture, no address. */
export function page(title: string, body: Markup): string {
  const { markup } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style>
          ${{ markup: STYLE }}
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`
  return `${markup}\n`
}
