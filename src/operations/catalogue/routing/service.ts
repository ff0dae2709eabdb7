import { parseYuan } from '#kernel'
import type { FactoryCommitment, FactoryFile, FactoryLink, SignedCommitment } from '#contract'
import type { Transaction } from '#platform/postgres'
import { actionFor } from '../changes.ts'
import type { Note } from '../changes.ts'
import { deleteCommitment, selectCommitments, selectLinks, upsertCommitment, upsertLink } from './store.ts'
import type { LinkRow } from './store.ts'

/** Links that the file names, and the contracts of the suppliers that it names: those are complete, so one that is left out ends. */
export async function putRouting(tx: Transaction, file: FactoryFile, note: Note): Promise<void> {
  const links = await selectLinks(tx)
  for (const link of file.links) {
    const row = linkRow(link)
    const action = actionFor(
      links.find(({ from, to }) => from === row.from && to === row.to),
      row,
    )
    if (action !== 'unchanged') await upsertLink(tx, row)
    note('link', `${row.from}/${row.to}`, action)
  }
  const there = await selectCommitments(tx)
  for (const { id: supplier, commitments } of file.suppliers) {
    const rows = commitments.map((commitment) => commitmentRow(supplier, commitment))
    for (const row of rows) {
      const action = actionFor(
        there.find(({ id }) => id === row.id),
        row,
      )
      if (action !== 'unchanged') await upsertCommitment(tx, row)
      note('commitment', row.id, action)
    }
    for (const { id } of there.filter((old) => old.supplier === supplier && !rows.some((row) => row.id === old.id))) {
      await deleteCommitment(tx, id)
      note('commitment', id, 'retired')
    }
  }
}

/** A link is both ways, so it is kept with the first in the alphabet first. */
function linkRow({ from, to, rttMs, mebibyteYuan }: FactoryLink): LinkRow {
  const [first, second] = from < to ? [from, to] : [to, from]
  return { from: first, to: second, rttMs, mebibytePico: `${parseYuan(mebibyteYuan)}` }
}

function commitmentRow(supplier: string, commitment: FactoryCommitment): SignedCommitment {
  const { id, services, from, to } = commitment
  return {
    id,
    supplier,
    services: [...new Set(services)].toSorted(),
    fromMs: from,
    toMs: to,
    terms: termsOf(commitment),
  }
}

function termsOf(commitment: FactoryCommitment): SignedCommitment['terms'] {
  switch (commitment.kind) {
    case 'share': {
      const { kind, group, minPercent, maxPercent, lotTokens } = commitment
      return { kind, group, minPpm: minPercent, maxPpm: maxPercent, lotTokens }
    }
    case 'reserved_rate':
      return { kind: commitment.kind, tokensPerMinute: commitment.tokensPerMinute }
    case 'take_or_pay':
    case 'cap':
      return { kind: commitment.kind, tokens: commitment.tokens }
  }
}
