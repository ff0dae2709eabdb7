import { explainIssue, readYaml } from '#catalogue'
import { TenderFile } from '#contract'
import { tenderMistakes } from './problems.ts'

/** Amounts are taken from the source text, never through a float. */
const DECIMALS: ReadonlySet<string> = new Set(['unitPriceYuan', 'ceilingYuan', 'estimateYuan'])

/** Reads and checks a project's file. Throws `invalid_tender_file` with every mistake and its place. */
export function readTender(text: string, fileName: string): TenderFile {
  const source = readYaml(text, fileName, DECIMALS)
  const parsed = TenderFile.safeParse(source.value ?? {})
  if (parsed.success && source.mistakes.length === 0) return parsed.data
  const issues = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) =>
        explainIssue(issue, source.value).map(({ path, message, of }) => source.mistake(path, message, of)),
      )
  throw tenderMistakes({ mistakes: [...source.mistakes, ...issues] })
}
