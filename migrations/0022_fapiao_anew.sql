-- A tax invoice that was refused never counted. What is asked for after it is another request with an id of its own, because the kind, the
-- parties or the amounts may be other ones by then.
drop index billing.fapiao_per_document;
create unique index fapiao_per_document on billing.fapiao (document) where state not in ('redIssued', 'failed');
