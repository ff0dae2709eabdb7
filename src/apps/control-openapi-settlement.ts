import * as z from 'zod'
import {
  DecisionReply,
  DiscrepanciesQuery,
  DiscrepancyDecision,
  DiscrepancyView,
  FileQuery,
  ImportQuery,
  ImportReply,
  MappingReply,
  PayRequest,
  PayeeRequest,
  PayeeView,
  PenaltyDecision,
  PenaltyRequest,
  PenaltyView,
  RequestsOfDayQuery,
  RunReply,
  RunRequest,
  RunStep,
  RunView,
  RunsQuery,
  SettledRequestView,
  StatementMapping,
  StatementReply,
  StatementView,
  StatementsQuery,
  SupplierPeriodView,
  SupplierPeriodsQuery,
} from '#contract'
import type { Operation } from './control-openapi.ts'

const operator = { audience: 'operator' } as const
/** Operators, and a supplier's people for what is theirs. */
const either = { audience: 'signed in' } as const

const step = (name: string, summary: string): Operation => ({
  ...{ ...operator, method: 'post', path: `/settlement/runs/{id}/${name}`, summary },
  ...{ body: RunStep, reply: RunReply },
})

/** Statements of suppliers and settlements. */
export const SETTLEMENT_OPERATIONS: readonly Operation[] = [
  {
    ...{ ...either, method: 'get', path: '/settlement/periods', summary: 'Months of suppliers and how far each is' },
    ...{ query: SupplierPeriodsQuery, reply: z.array(SupplierPeriodView) },
  },
  {
    ...{ ...operator, method: 'get', path: '/settlement/suppliers/{supplier}/mapping' },
    ...{ summary: "How a supplier's files are read", reply: MappingReply },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/suppliers/{supplier}/mapping' },
    ...{
      summary: "Say how a supplier's files are read; every version is kept",
      body: StatementMapping,
      reply: MappingReply,
    },
  },
  {
    ...{ ...operator, method: 'get', path: '/settlement/suppliers/{supplier}/payee' },
    ...{ summary: 'Whom a supplier is paid to', reply: PayeeView.nullable() },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/suppliers/{supplier}/payee' },
    ...{ summary: 'Say whom a supplier is paid to', body: PayeeRequest, reply: PayeeView },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/suppliers/{supplier}/penalties/{period}' },
    ...{ summary: 'Propose the penalties that the evidence of a month shows', reply: z.array(PenaltyView) },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/statements', query: ImportQuery, upload: true },
    reply: ImportReply,
    summary: "Import a supplier's file, sent as application/octet-stream: all of it or nothing, the same file once",
  },
  {
    ...{ ...either, method: 'get', path: '/settlement/statements', summary: 'Statements, the newest month first' },
    ...{ query: StatementsQuery, reply: z.array(StatementView) },
  },
  {
    ...{ ...either, method: 'get', path: '/settlement/statements/{id}' },
    ...{ summary: 'One statement: sums of what differs, settlements, history', reply: StatementReply },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/statements/{id}/match' },
    ...{ summary: 'Hold a statement against our usage records and the agreement', reply: StatementReply },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/statements/{id}/agree' },
    ...{ summary: 'Everything is decided that is not in dispute', body: RunStep, reply: StatementView },
  },
  {
    ...{ ...either, method: 'get', path: '/settlement/statements/{id}/discrepancies' },
    ...{ summary: 'What differs, line by line', query: DiscrepanciesQuery, reply: z.array(DiscrepancyView) },
  },
  {
    ...{ ...either, method: 'get', path: '/settlement/statements/{id}/requests' },
    ...{ summary: 'Our requests behind a discrepancy', query: RequestsOfDayQuery, reply: z.array(SettledRequestView) },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/statements/{id}/decide' },
    ...{
      summary: 'Accept, adjust, write off or dispute discrepancies',
      body: DiscrepancyDecision,
      reply: DecisionReply,
    },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/runs', body: RunRequest, reply: RunReply },
    summary: 'Compute what an agreed statement comes to, or disputes that ended since',
  },
  {
    ...{ ...either, method: 'get', path: '/settlement/runs', summary: 'Settlements, the newest month first' },
    ...{ query: RunsQuery, reply: z.array(RunView) },
  },
  {
    ...{
      ...either,
      method: 'get',
      path: '/settlement/runs/{id}',
      summary: 'One settlement and what it is made from',
    },
    reply: RunReply,
  },
  {
    ...{ ...either, method: 'get', path: '/settlement/runs/{id}/pdf', query: FileQuery, file: 'application/pdf' },
    summary: 'A settlement as PDF',
  },
  step('recompute', 'Compute again what is not approved'),
  step('review', 'It was looked at by somebody else than who proposed it'),
  step('approve', 'Approve it; not by who proposed it'),
  step('post', 'Post it; repeating it posts nothing'),
  {
    ...{ ...operator, method: 'post', path: '/settlement/runs/{id}/pay', body: PayRequest, reply: RunReply },
    summary: 'Book that the bank has paid it, once per reference',
  },
  step('close', 'Nothing is left to do about it'),
  {
    ...{ ...operator, method: 'get', path: '/settlement/payment-file', file: 'text/csv' },
    summary: 'What is posted and to be paid, for the bank; ends with its number and sum',
  },
  {
    ...{ ...either, method: 'get', path: '/settlement/penalties', summary: 'Penalties of suppliers' },
    ...{ query: StatementsQuery, reply: z.array(PenaltyView) },
  },
  {
    ...{ ...operator, method: 'post', path: '/settlement/penalties', body: PenaltyRequest, reply: PenaltyView },
    summary: 'Propose a penalty, once per id',
  },
  {
    ...{
      ...operator,
      method: 'post',
      path: '/settlement/penalties/{id}/decide',
      body: PenaltyDecision,
      reply: PenaltyView,
    },
    summary: 'Approve, waive or contest a penalty',
  },
]
