-- What is bought, from whom, and by what contract: projects, packages, bids, awards, framework agreements, call-off orders and the
-- capacity that was accepted. Amounts are whole pico-yuan without tax unless they are called gross.
create schema agreements;

create table agreements.transition (
  subject    text not null check (subject in ('project', 'package', 'agreement', 'call_off', 'lot')),
  id         text collate "C" not null,
  seq        integer not null check (seq > 0),
  from_state text,
  to_state   text not null,
  at_ms      bigint not null,
  by         text not null,
  reason     text not null,
  primary key (subject, id, seq)
);

create table agreements.supplier (
  id      text collate "C" primary key,
  name_zh text not null,
  name_en text not null,
  -- Unified social credit code; null where it is not known yet: such a supplier cannot sign.
  uscc    text unique,
  type    text not null,
  by      text not null,
  at_ms   bigint not null
);

create table agreements.project (
  id         text collate "C" primary key,
  state      text not null,
  content    jsonb not null,
  estimate   numeric(38, 0) not null check (estimate >= 0),
  created_by text not null,
  at_ms      bigint not null
);

create table agreements.package (
  id                 text collate "C" primary key,
  project            text collate "C" not null references agreements.project (id),
  number             integer not null check (number > 0),
  state              text not null,
  ceiling            numeric(38, 0) not null check (ceiling > 0),
  content            jsonb not null,
  -- Until when candidates may be objected to; null before they are published.
  objections_until_ms bigint,
  award_proposed_by  text,
  unique (project, number)
);

create table agreements.bid (
  package       text collate "C" not null references agreements.package (id),
  supplier      text collate "C" not null references agreements.supplier (id),
  price         numeric(38, 0) not null check (price > 0),
  -- SHA-256 of the document that was handed in.
  document_hash text not null,
  received_at_ms bigint not null,
  by            text not null,
  -- Points by criterion, thousandths; null until it is evaluated.
  scores        jsonb,
  total         integer,
  scored_by     text,
  primary key (package, supplier)
);

create table agreements.objection (
  package    text collate "C" not null references agreements.package (id),
  seq        integer not null,
  raised_by  text not null,
  at_ms      bigint not null,
  text       text not null,
  decision   text check (decision in ('upheld', 'rejected')),
  decided_by text,
  decided_at_ms bigint,
  reason     text,
  primary key (package, seq),
  check ((decision is null) = (decided_by is null))
);

create table agreements.share (
  package  text collate "C" not null references agreements.package (id),
  supplier text collate "C" not null references agreements.supplier (id),
  ppm      integer not null check (ppm between 1 and 1000000),
  primary key (package, supplier)
);

create table agreements.agreement (
  id            text collate "C" primary key,
  package       text collate "C" not null references agreements.package (id),
  supplier      text collate "C" not null references agreements.supplier (id),
  state         text not null,
  terms         jsonb not null,
  ceiling       numeric(38, 0) not null check (ceiling > 0),
  called        numeric(38, 0) not null default 0 check (called >= 0 and called <= ceiling),
  proposed_by   text not null,
  signed_by     text,
  valid_from_ms bigint not null,
  valid_to_ms   bigint not null check (valid_to_ms > valid_from_ms),
  check (signed_by is null or signed_by <> proposed_by)
);
create index agreement_by_supplier on agreements.agreement (supplier, id);
create index agreement_by_package on agreements.agreement (package, id);

-- How order lots were divided since the shares last changed: the quota method looks back no further.
create table agreements.division (
  package  text collate "C" not null references agreements.package (id),
  epoch    integer not null,
  supplier text collate "C" not null,
  ppm      integer not null,
  lots     integer not null default 0 check (lots >= 0),
  primary key (package, epoch, supplier)
);

create table agreements.call_off (
  id              text collate "C" primary key,
  batch           text collate "C" not null,
  agreement       text collate "C" not null references agreements.agreement (id),
  package         text collate "C" not null,
  supplier        text collate "C" not null,
  state           text not null,
  units           integer not null check (units > 0),
  lots            integer not null check (lots > 0),
  amount          numeric(38, 0) not null check (amount > 0),
  proposed_by     text not null,
  issued_by       text,
  ordered_at_ms   bigint,
  delivered_units integer not null default 0 check (delivered_units between 0 and units),
  delivered_at_ms bigint,
  accepted_at_ms  bigint,
  report_hash     text,
  ends_at_ms      bigint,
  check (issued_by is null or issued_by <> proposed_by),
  check ((ordered_at_ms is null) = (issued_by is null)),
  check ((accepted_at_ms is null) = (report_hash is null))
);
create index call_off_by_agreement on agreements.call_off (agreement, id);
create index call_off_by_batch on agreements.call_off (batch);

create table agreements.clock_stop (
  call_off text collate "C" not null references agreements.call_off (id),
  from_ms  bigint not null,
  to_ms    bigint check (to_ms > from_ms),
  reason   text not null,
  by       text not null,
  primary key (call_off, from_ms)
);

create table agreements.delivery (
  call_off text collate "C" not null references agreements.call_off (id),
  seq      integer not null,
  -- Negative: what was delivered and rejected.
  units    integer not null check (units <> 0),
  at_ms    bigint not null,
  by       text not null,
  primary key (call_off, seq)
);

create table agreements.lot (
  id        text collate "C" primary key,
  call_off  text collate "C" not null unique references agreements.call_off (id),
  agreement text collate "C" not null references agreements.agreement (id),
  supplier  text collate "C" not null,
  model     text not null,
  units     integer not null check (units > 0),
  state     text not null,
  from_ms   bigint not null,
  to_ms     bigint not null check (to_ms > from_ms)
);

-- Counts up with every change that gateways must hear of.
create table agreements.revision (singleton boolean primary key default true check (singleton), value bigint not null);
insert into agreements.revision (value) values (0);
