-- People of suppliers sign in too, and see what is their supplier's.
alter table identity.account add column supplier text check (supplier ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$');
alter table identity.account drop constraint account_role_check;
alter table identity.account add constraint account_role_check check (role in ('operator', 'tenant', 'supplier'));
alter table identity.account drop constraint account_check;
alter table identity.account add constraint account_belongs check (
  (role = 'tenant') = (tenant is not null) and (role = 'supplier') = (supplier is not null));
