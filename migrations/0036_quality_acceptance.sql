-- Reports of acceptance runs as they were signed: the text is what the hash and the signature are of.
create table quality.acceptance (
  id            text collate "C" primary key,
  call_off      text collate "C" not null,
  supplier      text collate "C" not null,
  model         text collate "C" not null,
  passed        boolean not null,
  report        text not null,
  hash          text not null check (hash ~ '^[0-9a-f]{64}$'),
  signature     text not null,
  public_key    text not null,
  run_by        text not null,
  ended_at_ms   bigint not null
);
create index acceptance_by_call_off on quality.acceptance (call_off, ended_at_ms);
create index acceptance_by_model on quality.acceptance (supplier, model, ended_at_ms);
create trigger append_only before update or delete or truncate on quality.acceptance for each statement execute function quality.refuse_change();
