-- What the operator's business support system creates through the TM Forum APIs and our own rooms have no place for. What our rooms hold is
-- theirs and appears beside it, read only.
create schema tmf;

create table tmf.resource (
  -- The resource's name in its API, such as ProductOffering.
  type          text collate "C" not null,
  id            text collate "C" not null check (id ~ '^[A-Za-z0-9._:~-]{1,128}$'),
  -- The order in which they were created.
  seq           bigint generated always as identity,
  -- All attributes except id, href and @type; numbers are exact decimals.
  body          jsonb not null check (jsonb_typeof(body) = 'object'),
  -- SHA-256 of what was sent to create it: repeating a request gives the same answer, another content under one id is refused.
  fingerprint   text not null,
  created_at_ms bigint not null,
  changed_at_ms bigint not null,
  primary key (type, id)
);
create unique index resource_in_order on tmf.resource (type, seq);
