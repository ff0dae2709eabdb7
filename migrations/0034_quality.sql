-- What suppliers deliver, judged from usage records. Counts of tokens are whole numbers, wealth of the tests is an estimate.
create schema quality;

-- How far the ledger's chain was read: it moves in the transaction that adds what was read, so nothing counts twice.
create table quality.mark (
  only_one boolean primary key default true check (only_one),
  seq      bigint not null
);
insert into quality.mark (seq) values (0);

create function quality.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = '23000';
end $$;

-- Who decided what about a case, a report, a credit or an acceptance, when and why.
create table quality.event (
  seq     bigint generated always as identity primary key,
  subject text collate "C" not null,
  what    text not null,
  by      text not null,
  reason  text not null,
  at_ms   bigint not null
);
create index event_by_subject on quality.event (subject, seq);
create trigger append_only before update or delete or truncate on quality.event for each statement execute function quality.refuse_change();

-- What counts as honest for a supplier's model, as an operator decided; the newest row holds. Absent: the agreement's terms, or the usual.
create table quality.audit_setting (
  seq          bigint generated always as identity primary key,
  supplier     text collate "C" not null,
  model        text collate "C" not null,
  side         text not null check (side in ('output', 'input')),
  tau_ppm      integer not null check (tau_ppm between 0 and 100000),
  fixed_tokens integer not null check (fixed_tokens between 0 and 64),
  excess_ppm   integer not null check (excess_ppm between 100 and 200000),
  slack_tokens integer not null check (slack_tokens between 0 and 100000),
  slack_ppm    integer not null check (slack_ppm between 0 and 500000)
);
create index audit_setting_by_stream on quality.audit_setting (supplier, model, side, seq);
create trigger append_only before update or delete or truncate on quality.audit_setting for each statement execute function quality.refuse_change();

-- Where the two tests of a supplier's model are, from each side. An epoch begins anew when settings change or a case ends.
create table quality.audit_stream (
  supplier        text collate "C" not null,
  model           text collate "C" not null,
  side            text not null check (side in ('output', 'input')),
  epoch           integer not null check (epoch >= 1),
  seen            bigint not null check (seen >= 0),
  mean_wealth     double precision[] not null,
  excess_wealth   double precision[] not null,
  excesses        bigint not null check (excesses >= 0),
  reported_tokens bigint not null check (reported_tokens >= 0),
  counted_tokens  bigint not null check (counted_tokens >= 0),
  settings        jsonb not null,
  primary key (supplier, model, side)
);

-- Every claim that was counted again, in the order in which the tests saw it: anybody can compute them again.
create table quality.audit_fact (
  supplier        text collate "C" not null,
  model           text collate "C" not null,
  side            text not null,
  epoch           integer not null,
  number          bigint not null check (number >= 1),
  request         text collate "C" not null,
  completed_at_ms bigint not null,
  reported        bigint not null check (reported >= 0),
  counted         bigint not null check (counted >= 0),
  primary key (supplier, model, side, epoch, number)
);
create trigger append_only before update or delete or truncate on quality.audit_fact for each statement execute function quality.refuse_change();

create table quality.audit_case (
  id            text collate "C" primary key,
  supplier      text collate "C" not null,
  model         text collate "C" not null,
  side          text not null,
  epoch         integer not null,
  test          text not null check (test in ('mean', 'excess')),
  settings      jsonb not null,
  -- At which request of the epoch it was flagged, and how strong the evidence was then, as a power of ten.
  number        bigint not null,
  evidence      double precision not null,
  state         text not null check (state in ('flagged', 'disputed', 'upheld', 'dismissed', 'closed')),
  opened_at_ms  bigint not null,
  disputed_by   text,
  unique (supplier, model, side, epoch)
);
create index audit_case_open on quality.audit_case (supplier, model) where state in ('flagged', 'disputed', 'upheld');
