-- Whose slices these are: a gateway id is a name that two installations, or one that lost its disk, may both use. Null on rows
-- from before: the first journal that registers for the gateway takes them over.
alter table charging.gateway add column journal text collate "C";
alter table charging.slice add column journal text collate "C";

-- What an operator decided about money that no program may decide about: who, and why.
alter table charging.slice add column released_by text, add column released_reason text;
alter table charging.slice add constraint slice_release_is_explained
  check ((released_by is null) = (released_reason is null) and (released_by is null or state = 'released'));

alter table charging.usage_quarantine
  add column decided_by text, add column decided_at_ms bigint, add column decided_reason text;
