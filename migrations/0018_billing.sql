-- Documents for money: invoices, consumption statements and credit notes, what was paid on them, and their tax invoices. Amounts of
-- documents are whole fen (bigint); amounts of the books beside them stay whole pico-yuan (numeric).
create schema billing;

create function billing.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = '23000';
end $$;

-- Who issues documents (`seller`) and whom they are for (`buyer:<tenant>`). Documents keep a copy of what it said when they were issued.
create table billing.profile (
  party         text collate "C" primary key check (party = 'seller' or party ~ '^buyer:[!-~]{1,64}$'),
  details       jsonb not null,
  updated_at_ms bigint not null,
  updated_by    text not null
);

-- How far the roll-up below has read the ledger's chain. It moves in the transaction that adds what was read, so nothing is added twice.
create table billing.progress (
  only_one boolean primary key default true check (only_one),
  seq      bigint not null
);
insert into billing.progress (seq) values (0);

-- Usage by the day in China on which it was completed: ten million records are a few thousand rows.
create table billing.usage_day (
  payer         text collate "C" not null,
  day           text collate "C" not null check (day ~ '^\d{4}-\d{2}-\d{2}$'),
  tenant        text collate "C" not null,
  service       text collate "C" not null,
  sheet         text collate "C" not null,
  tax_percent   integer not null check (tax_percent between 0 and 100),
  requests      bigint not null,
  tokens        numeric(38, 0) not null,
  sell          numeric(38, 0) not null,
  gift          numeric(38, 0) not null,
  credit        numeric(38, 0) not null,
  tax           numeric(38, 0) not null,
  buy           numeric(38, 0) not null,
  primary key (payer, day, tenant, service, sheet, tax_percent)
);
create index usage_day_by_day on billing.usage_day (day, service);

-- Which postings hold usage of a payer and day: the way from a line back to its requests.
create table billing.usage_posting (
  payer      text collate "C" not null,
  day        text collate "C" not null,
  seq        bigint not null,
  posting_id text collate "C" not null,
  primary key (payer, day, seq)
);
create index usage_posting_by_day on billing.usage_posting (day, seq);

-- What is billed and rounded together: usage of one service, price sheet and tax rate in one month, or one fee. Sums of everything so far.
create table billing.charge (
  id          text collate "C" primary key,
  tenant      text collate "C" not null,
  kind        text not null check (kind in ('usage', 'fee')),
  period      text collate "C" not null check (period ~ '^\d{4}-\d{2}$'),
  description text not null,
  service     text collate "C",
  sheet       text collate "C",
  tax_percent integer not null check (tax_percent between 0 and 100),
  gross       numeric(38, 0) not null,
  credit      numeric(38, 0) not null,
  tax         numeric(38, 0) not null,
  requests    bigint not null,
  tokens      numeric(38, 0) not null,
  check ((kind = 'usage') = (service is not null) and (service is null) = (sheet is null))
);
create index charge_by_tenant on billing.charge (tenant, period);

-- One row per tenant with documents: the lock that orders what happens to them.
create table billing.account (
  tenant text collate "C" primary key
);

-- The last number given out. The row stays locked until the document that took it is committed, so there are no gaps.
create table billing.series (
  series text collate "C" not null,
  year   integer not null,
  last   bigint not null check (last >= 1),
  primary key (series, year)
);

create table billing.document (
  id            text collate "C" primary key,
  kind          text not null check (kind in ('invoice', 'statement', 'credit_note')),
  tenant        text collate "C" not null references billing.account (tenant),
  -- The month that it closes, or for a credit note the month of the document that it corrects.
  period        text collate "C" not null check (period ~ '^\d{4}-\d{2}$'),
  corrects      text collate "C" references billing.document (id),
  reason        text,
  state         text not null check (state in ('new', 'validated', 'onHold', 'sent', 'partiallyPaid', 'settled')),
  series        text collate "C",
  year          integer,
  sequence      bigint,
  number        text collate "C" unique,
  gross_fen     bigint not null,
  net_fen       bigint not null,
  tax_fen       bigint not null,
  -- Still to be paid when it was issued; the rest of the gross amount came out of the wallet. Below zero on a credit note.
  due_fen       bigint not null,
  -- What payments and credit notes cover of it; on a credit note, what of it was set against other documents.
  covered_fen   bigint not null default 0 check (covered_fen >= 0 and covered_fen <= abs(due_fen)),
  seller        jsonb not null,
  buyer         jsonb not null,
  posting_id    text collate "C",
  created_at_ms bigint not null,
  issued_at_ms  bigint,
  due_at_ms     bigint,
  dunning       text not null default 'none' check (dunning in ('none', 'reminded', 'warned', 'final')),
  check (gross_fen = net_fen + tax_fen),
  check ((kind = 'credit_note') = (corrects is not null)),
  check ((number is null) = (state in ('new', 'validated', 'onHold'))),
  check ((number is null) = (issued_at_ms is null) and (number is null) = (sequence is null)),
  unique (series, year, sequence)
);
-- A month is invoiced once; what comes later is for the next one.
create unique index document_per_period on billing.document (tenant, period) where kind <> 'credit_note';
create index document_by_tenant on billing.document (tenant, created_at_ms);
create index document_correcting on billing.document (corrects) where corrects is not null;
create index document_overdue on billing.document (due_at_ms) where state in ('sent', 'partiallyPaid') and due_fen > 0;

-- What is issued says for ever what it said.
create function billing.keep_issued() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or (old.number is not null and
     (new.id, new.kind, new.tenant, new.period, new.corrects, new.reason, new.number, new.series, new.year, new.sequence, new.gross_fen, new.net_fen,
      new.tax_fen, new.due_fen, new.seller, new.buyer, new.posting_id, new.issued_at_ms, new.due_at_ms) is distinct from
     (old.id, old.kind, old.tenant, old.period, old.corrects, old.reason, old.number, old.series, old.year, old.sequence, old.gross_fen, old.net_fen,
      old.tax_fen, old.due_fen, old.seller, old.buyer, old.posting_id, old.issued_at_ms, old.due_at_ms)) then
    raise exception 'document % is issued: correct it by a credit note', old.id using errcode = '23000', constraint = 'issued_document_stays';
  end if;
  return new;
end $$;
create trigger issued_document_stays before update or delete on billing.document for each row execute function billing.keep_issued();

-- A line bills a charge from one of its sums to the next (`revision` counts them), or is a credit that an operator granted on another line.
create table billing.line (
  document        text collate "C" not null references billing.document (id),
  position        integer not null check (position >= 1),
  charge          text collate "C" references billing.charge (id),
  revision        integer check (revision >= 1),
  previous        integer generated always as (nullif(revision - 1, 0)) stored,
  from_gross      numeric(38, 0) not null default 0,
  from_credit     numeric(38, 0) not null default 0,
  from_tax        numeric(38, 0) not null default 0,
  from_requests   bigint not null default 0,
  from_tokens     numeric(38, 0) not null default 0,
  to_gross        numeric(38, 0) not null default 0,
  to_credit       numeric(38, 0) not null default 0,
  to_tax          numeric(38, 0) not null default 0,
  to_requests     bigint not null default 0,
  to_tokens       numeric(38, 0) not null default 0,
  -- Which part of the ledger's chain it bills: after `from_seq`, up to and including `to_seq`.
  from_seq        bigint not null default 0,
  to_seq          bigint not null default 0,
  credits_document text collate "C",
  credits_position integer,
  period          text collate "C" not null,
  description     text not null,
  service         text collate "C",
  sheet           text collate "C",
  tax_percent     integer not null check (tax_percent between 0 and 100),
  gross_fen       bigint not null,
  net_fen         bigint not null,
  tax_fen         bigint not null,
  due_fen         bigint not null,
  primary key (document, position),
  check (gross_fen = net_fen + tax_fen),
  check ((charge is null) = (revision is null) and (charge is null) = (credits_document is not null)),
  check ((credits_document is null) = (credits_position is null)),
  check (revision is distinct from 1 or (from_gross, from_credit, from_tax, from_requests, from_tokens, from_seq) = (0, 0, 0, 0, 0, 0)),
  -- At most one line per charge and document, and one per charge and step: nothing is billed twice …
  constraint line_once_per_document unique (document, charge),
  constraint line_once_per_step unique (charge, revision),
  unique (charge, revision, to_gross, to_credit, to_tax, to_requests, to_tokens, to_seq),
  -- … and each step begins where the one before it ended.
  constraint line_continues foreign key (charge, previous, from_gross, from_credit, from_tax, from_requests, from_tokens, from_seq)
    references billing.line (charge, revision, to_gross, to_credit, to_tax, to_requests, to_tokens, to_seq),
  foreign key (credits_document, credits_position) references billing.line (document, position)
);
create index line_crediting on billing.line (credits_document, credits_position) where credits_document is not null;
create trigger append_only before update or delete or truncate on billing.line for each statement execute function billing.refuse_change();

create table billing.payment (
  reference    text collate "C" primary key,
  tenant       text collate "C" not null,
  amount_fen   bigint not null check (amount_fen > 0),
  -- What no document needed: it went into the wallet.
  rest_fen     bigint not null check (rest_fen >= 0 and rest_fen <= amount_fen),
  -- The document that it was meant for, if one was named.
  document     text collate "C" references billing.document (id),
  posting_id   text collate "C",
  booked_at_ms bigint not null,
  booked_by    text not null
);
create index payment_by_tenant on billing.payment (tenant, booked_at_ms);
create trigger append_only before update or delete or truncate on billing.payment for each statement execute function billing.refuse_change();

-- Money of wallets that tenants asked back: set aside at once, paid when the bank has done it.
create table billing.refund (
  reference       text collate "C" primary key,
  tenant          text collate "C" not null,
  amount_fen      bigint not null check (amount_fen > 0),
  state           text not null check (state in ('requested', 'paid')),
  requested_at_ms bigint not null,
  requested_by    text not null,
  paid_at_ms      bigint,
  paid_by         text,
  check ((state = 'paid') = (paid_at_ms is not null) and (paid_at_ms is null) = (paid_by is null))
);
create index refund_by_tenant on billing.refund (tenant, requested_at_ms);

-- What covers what: a payment or a credit note, and the document that it is set against.
create table billing.allocation (
  source    text collate "C" not null check (source ~ '^(payment|credit):'),
  document  text collate "C" not null references billing.document (id),
  fen       bigint not null check (fen > 0),
  at_ms     bigint not null,
  primary key (source, document)
);
create index allocation_by_document on billing.allocation (document);
create trigger append_only before update or delete or truncate on billing.allocation for each statement execute function billing.refuse_change();

-- Everything that happened to documents, by whom and why.
create table billing.event (
  seq      bigint generated always as identity primary key,
  document text collate "C" not null references billing.document (id),
  at_ms    bigint not null,
  what     text not null,
  by       text not null,
  note     text
);
create index event_by_document on billing.event (document, seq);
create trigger append_only before update or delete or truncate on billing.event for each statement execute function billing.refuse_change();

-- Tax invoices (fapiao) of documents. The tax authority's platform numbers them; `red` reverses one.
create table billing.fapiao (
  id              text collate "C" primary key,
  document        text collate "C" not null references billing.document (id),
  kind            text not null check (kind in ('ordinary', 'special')),
  state           text not null check (state in ('requested', 'issued', 'failed', 'redRequested', 'redConfirmed', 'redIssued')),
  request         jsonb not null,
  number          text collate "C" unique check (number ~ '^\d{20}$'),
  red_confirmation text collate "C",
  red_number      text collate "C" unique check (red_number ~ '^\d{20}$'),
  failure         text,
  attempts        integer not null default 0,
  updated_at_ms   bigint not null,
  check ((number is null) = (state in ('requested', 'failed')))
);
-- One that counts per document: another may be asked for only after it was reversed.
create unique index fapiao_per_document on billing.fapiao (document) where state <> 'redIssued';
create index fapiao_waiting on billing.fapiao (updated_at_ms) where state in ('requested', 'redRequested', 'redConfirmed');

-- The local simulator's side: what it has numbered, so that asking again gives the same number, also after a restart.
create table billing.simulated_fapiao (
  request    text collate "C" primary key,
  number     text collate "C" not null unique,
  amount_fen bigint not null
);
create table billing.simulator (
  only_one  boolean primary key default true check (only_one),
  sequence  bigint not null default 0,
  quota_fen bigint not null default 1000000000,
  used_fen  bigint not null default 0
);
insert into billing.simulator default values;
