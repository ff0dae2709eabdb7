-- What suppliers are owed: their statements, our usage held against them, differences and what was decided about each, settlements.
-- Amounts are whole pico-yuan; what is paid is whole fen.
create schema settlement;

-- A month of a supplier is read by the time at which requests ended. The table grows in that order, so a range index is a few pages.
create index usage_record_by_end on charging.usage_record using brin (completed_at_ms) with (pages_per_range = 32, autosummarize = on);

create table settlement.payee (
  supplier  text collate "C" primary key,
  details   jsonb not null,
  set_by    text not null,
  set_at_ms bigint not null
);

-- How to read a supplier's files. Every version stays, because statements say by which one they were read.
create table settlement.mapping (
  supplier  text collate "C" not null,
  version   integer not null check (version >= 1),
  mapping   jsonb not null,
  set_by    text not null,
  set_at_ms bigint not null,
  primary key (supplier, version)
);

create table settlement.statement (
  id             text collate "C" primary key,
  supplier       text collate "C" not null,
  period         text collate "C" not null check (period ~ '^[0-9]{4}-[0-9]{2}$'),
  version        integer not null check (version >= 1),
  state          text not null check (state in
    ('received', 'parsed', 'matching', 'matched', 'discrepant', 'disputed', 'agreed', 'approved', 'settled', 'replaced')),
  file_name      text not null,
  file_hash      bytea not null check (octet_length(file_hash) = 32),
  mapping        integer not null,
  granularity    text not null check (granularity in ('request', 'day_model')),
  lines          bigint not null check (lines >= 0),
  net            numeric(38, 0) not null,
  -- Null where the supplier states no tax.
  tax            numeric(38, 0),
  imported_by    text not null,
  imported_at_ms bigint not null,
  -- By the terms that held when it was matched.
  terms          jsonb,
  unique (supplier, period, version),
  foreign key (supplier, mapping) references settlement.mapping (supplier, version)
);
-- The same file once more is no other statement; one of them per month counts.
create unique index statement_of_file on settlement.statement (supplier, period, file_hash);
create unique index statement_that_counts on settlement.statement (supplier, period) where state <> 'replaced';

create table settlement.statement_line (
  statement text collate "C" not null references settlement.statement (id),
  -- Of the file, as an editor or a spreadsheet counts.
  line      bigint not null check (line >= 1),
  request   text collate "C",
  -- Days since 1970 by the supplier's clock.
  day       integer,
  model     text not null,
  our_model text not null,
  input     bigint not null check (input >= 0),
  cached    bigint check (cached >= 0),
  output    bigint not null check (output >= 0),
  net       numeric(38, 0) not null check (net >= 0),
  tax       numeric(38, 0) check (tax >= 0),
  primary key (statement, line)
);

-- Our side of statements: which request's cost of which supplier is settled by which statement. At most one.
create table settlement.usage (
  supplier        text collate "C" not null,
  record          text collate "C" not null,
  statement       text collate "C" not null references settlement.statement (id),
  service         text not null,
  model           text not null,
  completed_at_ms bigint not null,
  input           bigint not null,
  cached          bigint not null,
  output          bigint not null,
  amount          numeric(38, 0) not null check (amount >= 0),
  primary key (supplier, record)
);
create index usage_by_statement on settlement.usage (statement);

create table settlement.discrepancy (
  statement  text collate "C" not null references settlement.statement (id),
  number     bigint not null check (number >= 1),
  class      text not null check (class in
    ('missing_ours', 'missing_theirs', 'duplicate', 'quantity', 'price', 'tax', 'cutoff', 'model_mapping')),
  state      text not null check (state in ('open', 'auto_resolved', 'assigned', 'disputed', 'adjusted', 'accepted', 'written_off')),
  line       bigint,
  record     text collate "C",
  day        integer,
  model      text not null,
  theirs     jsonb,
  ours       jsonb,
  -- What their side is above ours, net, and what their tax is above what follows from their net.
  impact     numeric(38, 0) not null,
  tax_impact numeric(38, 0) not null,
  -- How much of either is paid after all: between nothing and the whole.
  agreed     numeric(38, 0) not null default 0,
  tax_agreed numeric(38, 0) not null default 0,
  -- What was put aside for it when the rest was settled, while it was in dispute; and the settlement that ended that.
  held       numeric(38, 0) not null default 0 check (held >= 0),
  held_by_run text collate "C",
  released   numeric(38, 0) check (released between 0 and held),
  released_by_run text collate "C",
  assignee   text,
  primary key (statement, number),
  check ((impact >= 0 and agreed between 0 and impact) or (impact < 0 and agreed between impact and 0))
);
create index discrepancy_by_class on settlement.discrepancy (statement, class, number);
create index discrepancy_undecided on settlement.discrepancy (statement) where state in ('open', 'assigned', 'disputed');

create table settlement.penalty (
  id          text collate "C" primary key,
  supplier    text collate "C" not null,
  period      text collate "C" not null,
  kind        text not null check (kind in ('sla', 'lateness', 'audit', 'other')),
  amount      numeric(38, 0) not null check (amount > 0),
  reason      text not null,
  evidence    text,
  state       text not null check (state in ('proposed', 'contested', 'approved', 'waived', 'applied')),
  proposed_by text not null,
  proposed_at_ms bigint not null,
  approved_by text,
  run         text collate "C",
  check (approved_by is null or approved_by <> proposed_by)
);
create index penalty_by_supplier on settlement.penalty (supplier, period);

create table settlement.run (
  id          text collate "C" primary key,
  supplier    text collate "C" not null,
  period      text collate "C" not null,
  version     integer not null check (version >= 1),
  statement   text collate "C" not null references settlement.statement (id),
  state       text not null check (state in
    ('planned', 'collecting', 'computed', 'failed', 'reviewed', 'approved', 'posting', 'posted', 'paid', 'closed')),
  -- What its posting is made from; decimal text in pico and fen.
  figures     jsonb,
  gross_fen   numeric(38, 0),
  netted_fen  numeric(38, 0),
  payable_fen numeric(38, 0),
  proposed_by text not null,
  reviewed_by text,
  approved_by text,
  posting_id  text collate "C",
  payment_reference  text,
  payment_posting_id text collate "C",
  created_at_ms bigint not null,
  unique (supplier, period, version),
  -- Nobody decides alone about money that leaves.
  constraint run_by_two check ((reviewed_by is null or reviewed_by <> proposed_by) and (approved_by is null or approved_by <> proposed_by))
);
create unique index run_by_payment on settlement.run (payment_reference) where payment_reference is not null;
create index run_by_statement on settlement.run (statement);

-- Who did what to what, when and why. `number` counts discrepancies of one decision where it was about many.
create table settlement.event (
  seq     bigint generated always as identity primary key,
  subject text collate "C" not null,
  at_ms   bigint not null,
  was     text,
  becomes text not null,
  by_whom text not null,
  note    text,
  number  bigint
);
create index event_by_subject on settlement.event (subject, seq);

create function settlement.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = '23000';
end $$;
create trigger append_only before update or delete or truncate on settlement.event for each statement execute function settlement.refuse_change();
create trigger append_only before update or truncate on settlement.statement_line for each statement execute function settlement.refuse_change();
create trigger append_only before update or delete or truncate on settlement.mapping for each statement execute function settlement.refuse_change();

-- What a settlement was computed from stays as it was.
create function settlement.refuse_settled() returns trigger language plpgsql as $$
begin
  if exists (select 1 from settlement.statement s where s.id = old.statement and s.state in ('approved', 'settled')) then
    raise exception 'statement % is settled: its usage stays', old.statement using errcode = '23000';
  end if;
  return old;
end $$;
create trigger settled_stays before update or delete on settlement.usage for each row execute function settlement.refuse_settled();
