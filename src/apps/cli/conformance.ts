import { writeFile } from 'node:fs/promises'
import { checkConformance, conformanceHtml } from '#quality'
import type { ConformanceReport, Counter, Feature, KitProgress } from '#quality'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { tokenCounter } from '../token-counter.ts'
import { renderTable } from './table.ts'

const FEATURES: readonly Feature[] = ['tools', 'structured_output', 'multiple_choices']
const CELLS = 24

export const conformance: Command = {
  name: 'conformance',
  usage: 'URL --model NAME [--key-env NAME] [--tokenizer SPEC] [--report FILE.html]',
  summary: 'look at an endpoint as a supplier would offer it; ends with 7 if it does not conform',
  help: `Needs no factory: it speaks to the endpoint alone. URL goes up to the version path, such as https://api.example.com/v1.

  tokenfactory conformance https://api.example.com/v1 --model qwen3-32b --key-env EXAMPLE_KEY \\
    --tokenizer tiktoken:o200k_base --context 131072 --promises tools,structured_output --report conformance.html

Options:
      --model NAME         what the endpoint calls the model
      --key-env NAME       the environment variable that holds the endpoint's key
      --tokenizer SPEC     counts again: tiktoken:o200k_base, tiktoken:cl100k_base, gguf:FILE (in models/) or bytes:N
      --tolerance PERCENT  how far its counts may be from ours; 0.5 for output and 1 for input, at least 4 and 8 tokens
      --context TOKENS     the context it promises; without it, the context is not looked at
      --promises LIST      tools, structured_output, multiple_choices: what it may not refuse
      --burst N            so many requests at once look for a limit; 16 by default, 0 for none
      --max-tokens-field F max_tokens (default) or max_completion_tokens
      --timeout SECONDS    the longest time for one request; 120 by default
      --report FILE        writes a page that can be printed`,
  options: {
    model: { type: 'string' },
    'key-env': { type: 'string' },
    tokenizer: { type: 'string' },
    tolerance: { type: 'string' },
    context: { type: 'string' },
    promises: { type: 'string' },
    burst: { type: 'string' },
    'max-tokens-field': { type: 'string' },
    timeout: { type: 'string' },
    report: { type: 'string' },
  },
  arity: [1, 1],
  async run(invocation) {
    const { positionals, option, nowMs, showProgress = () => {} } = invocation
    const baseUrl = positionals[0] ?? ''
    if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl))
      throw new CliError(EXIT.usage, `not an http or https address: ${baseUrl}`)
    const model = option('model')
    if (model === undefined) throw new CliError(EXIT.usage, 'which model? --model NAME')
    const report = await checkConformance(
      {
        baseUrl,
        model,
        apiKey: keyOf(invocation),
        maxTokensField: oneOf(option('max-tokens-field') ?? 'max_tokens', ['max_tokens', 'max_completion_tokens']),
        timeoutMs: numberOf(option('timeout') ?? '120', '--timeout') * 1000,
      },
      {
        counter: counterOf(option('tokenizer')),
        tolerance: toleranceOf(option('tolerance')),
        contextTokens: option('context') === undefined ? undefined : numberOf(option('context') ?? '', '--context'),
        promised: new Set(
          (option('promises') ?? '')
            .split(',')
            .filter(Boolean)
            .map((each) => oneOf(each, FEATURES)),
        ),
        burst: numberOf(option('burst') ?? '16', '--burst'),
      },
      { clock: { nowMs }, onProgress: (progress) => showProgress(line(progress)) },
    ).finally(() => showProgress(''))
    const file = option('report')
    if (file !== undefined) await writeFile(file, conformanceHtml(report))
    return outcomeOf(report, file)
  },
}

function outcomeOf(report: ConformanceReport, file: string | undefined): Outcome {
  const words = { pass: 'pass', fail: 'FAIL', not_applicable: 'n/a' } as const
  const table = renderTable(
    [
      { title: 'RESULT', value: ({ verdict }) => words[verdict] },
      { title: 'CHECK', value: ({ id }) => id },
      { title: 'SAW', value: ({ saw }) => saw },
    ],
    report.results,
  )
  const asked = report.results.filter(({ verdict }) => verdict === 'fail').map(({ id, asks }) => `${id}: ${asks}`)
  const { passed, failed, notApplicable, conforms, requests } = report
  const sum = `${passed} passed, ${failed} failed, ${notApplicable} not applicable, in ${requests} requests`
  const text = [table, ...asked, conforms ? `conforms: ${sum}` : `DOES NOT CONFORM: ${sum}`]
  if (file !== undefined) text.push(`the report is ${file}`)
  return { json: report, text: text.join('\n'), code: conforms ? EXIT.ok : EXIT.notAsAgreed }
}

function line({ done, total, current }: KitProgress): string {
  const filled = Math.floor((CELLS * done) / total)
  return `${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)} ${done} of ${total}, ${current}`
}

function keyOf({ option, env }: Invocation): string | undefined {
  const name = option('key-env')
  if (name === undefined) return undefined
  const key = env[name]
  if (!key) throw new CliError(EXIT.usage, `the environment has no ${name}`)
  return key
}

/** `tiktoken:o200k_base`, `gguf:FILE`, `bytes:N`. */
function counterOf(text: string | undefined): Counter | undefined {
  if (text === undefined) return undefined
  const [kind, name] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
  if (kind === 'gguf') return tokenCounter({ kind, file: name })
  if (kind === 'bytes') return tokenCounter({ kind, bytesPerToken: numberOf(name, '--tokenizer') })
  if (kind !== 'tiktoken') throw new CliError(EXIT.usage, '--tokenizer is tiktoken:…, gguf:… or bytes:…')
  return tokenCounter({ kind, encoding: oneOf(name, ['o200k_base', 'cl100k_base'] as const) })
}

function toleranceOf(percent: string | undefined) {
  const fair = { outputAbs: 4, outputPpm: 5_000, inputAbs: 8, inputPpm: 10_000 }
  if (percent === undefined) return fair
  if (!/^\d{1,3}(\.\d{1,4})?$/.test(percent)) throw new CliError(EXIT.usage, '--tolerance is a percentage such as 2.5')
  const ppm = Number(percent) * 10_000
  return { ...fair, outputPpm: ppm, inputPpm: ppm }
}

function numberOf(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new CliError(EXIT.usage, `${name} is a whole number`)
  return Number(text)
}

function oneOf<Word extends string>(text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text)
  if (found === undefined) throw new CliError(EXIT.usage, `${text} is none of ${words.join(', ')}`)
  return found
}
