-- What was promised, from when on. Null: any. The narrowest row that fits holds, and of those the newest; nothing is promised backwards.
create table quality.sla_terms (
  seq                 bigint generated always as identity primary key,
  leg                 text not null check (leg in ('customer', 'supplier')),
  party               text collate "C",
  service             text collate "C",
  tier                text collate "C",
  measures            jsonb not null,
  -- Of one service and tier: failures of what is asked beyond it are the asker's own.
  requests_per_minute bigint check (requests_per_minute >= 1),
  valid_from_ms       bigint not null
);
create trigger append_only before update or delete or truncate on quality.sla_terms for each statement execute function quality.refuse_change();

-- What was seen in each minute in which requests were accepted, judged by the terms that held then. `failed` is by whoever's fault.
create table quality.sli_minute (
  leg           text collate "C" not null,
  party         text collate "C" not null,
  minute_ms     bigint not null,
  service       text collate "C" not null,
  tier          text collate "C" not null,
  agreed_rpm    bigint,
  ttft_limit_ms bigint,
  tpot_limit_ms bigint,
  requests      bigint not null,
  failed        bigint not null,
  excluded      bigint not null,
  ttft_valid    bigint not null,
  ttft_good     bigint not null,
  tpot_valid    bigint not null,
  tpot_good     bigint not null,
  net           numeric(38, 0) not null,
  tax           numeric(38, 0) not null,
  primary key (leg, party, minute_ms, service, tier),
  check (failed <= requests and ttft_good <= ttft_valid and tpot_good <= tpot_valid)
);
create index sli_minute_by_time on quality.sli_minute (minute_ms);

create table quality.alert (
  id           text collate "C" primary key,
  leg          text not null,
  party        text collate "C" not null,
  service      text collate "C" not null,
  tier         text collate "C" not null,
  measure      text not null,
  rule         text not null,
  burn         double precision not null,
  opened_at_ms bigint not null,
  closed_at_ms bigint
);
create unique index alert_open on quality.alert (leg, party, service, tier, measure, rule) where closed_at_ms is null;

-- A month's report; computing it again gives a new version where anything in it is different.
create table quality.sla_report (
  leg            text collate "C" not null,
  party          text collate "C" not null,
  period         text collate "C" not null check (period ~ '^[0-9]{4}-[0-9]{2}$'),
  version        integer not null check (version >= 1),
  lines          jsonb not null,
  hash           text not null,
  computed_at_ms bigint not null,
  computed_by    text not null,
  primary key (leg, party, period, version)
);
create trigger append_only before update or delete or truncate on quality.sla_report for each statement execute function quality.refuse_change();

-- What follows from a report: a credit to a customer, a penalty of a supplier. Whole pico-yuan.
create table quality.sla_credit (
  id          text collate "C" primary key,
  leg         text collate "C" not null,
  party       text collate "C" not null,
  period      text collate "C" not null,
  service     text collate "C" not null,
  tier        text collate "C" not null,
  version     integer not null,
  ppm         integer not null check (ppm between 1 and 1000000),
  net         numeric(38, 0) not null check (net >= 0),
  tax         numeric(38, 0) not null check (tax >= 0),
  state       text not null check (state in ('computed', 'contested', 'approved', 'applied', 'waived')),
  proposed_by text not null,
  unique (leg, party, period, service, tier)
);
create index sla_credit_by_party on quality.sla_credit (leg, party, period);

-- Records of a month are read in the order of their completion. A summary per page range costs ingest next to nothing.
create index usage_record_by_completion on charging.usage_record using brin (completed_at_ms) with (pages_per_range = 32);
