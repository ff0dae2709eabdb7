-- Suppliers that an operator took out of service, and when they came back: what runs there ends, nothing new begins.
create table catalogue.supplier_drain (
  id bigint generated always as identity primary key,
  -- The name stays when a file no longer declares the supplier.
  supplier text not null,
  drained_at timestamptz not null,
  drained_by text not null,
  drain_reason text not null check (drain_reason <> ''),
  undrained_at timestamptz,
  undrained_by text,
  undrain_reason text,
  check ((undrained_at is null) = (undrained_by is null) and (undrained_at is null) = (undrain_reason is null)),
  check (undrained_at >= drained_at)
);

create unique index one_open_drain on catalogue.supplier_drain (supplier) where undrained_at is null;
