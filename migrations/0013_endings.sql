-- When a key was revoked: gateways tell a revoked key from an unknown one for a day, then they forget it.
alter table identity.api_key add column revoked_at timestamptz;
update identity.api_key set revoked_at = now() where status = 'revoked';
alter table identity.api_key add constraint revoked_at_of_revoked check ((status = 'revoked') = (revoked_at is not null));

-- An announced price sheet that another one replaced before it began. It stays, because a gateway that was cut off may have used it.
alter table catalogue.price_sheet add column withdrawn boolean not null default false;
