import { sql } from '#platform/postgres'
import type { Statement } from '#platform/postgres'

export interface CostsQuery {
  readonly supplier: string
  /** Of the time at which requests ended; start inclusive, end exclusive. */
  readonly fromMs: number
  readonly toMs: number
}

/**
 * What requests cost of one supplier, a row for each: the attempt that served and those that did not, together. For whoever holds it
 * against something inside the database, where a month of a million requests stays: `record`, `service`, `model`, `completed_at_ms`,
 * `input` (all of it), `cached`, `output` (with reasoning), `amount` in pico-yuan, as posted to the supplier's account 2110.
 */
export function supplierCosts({ supplier, fromMs, toMs }: CostsQuery): Statement {
  return sql`
    select part.record, max(part.service) as service, max(part.model) as model, max(part.completed_at_ms) as completed_at_ms,
           sum(part.input)::bigint as input, sum(part.cached)::bigint as cached, sum(part.output)::bigint as output,
           sum(part.amount) as amount
      from (
        select u.id as record, u.service, u.record ->> 'model' as model, u.completed_at_ms, u.buy as amount,
               case when own.tokens is null then u.uncached_input + u.cache_write + u.cache_read
                    else (own.tokens ->> 'uncachedInput')::bigint + (own.tokens ->> 'cacheWrite')::bigint
                         + (own.tokens ->> 'cacheRead')::bigint end as input,
               case when own.tokens is null then u.cache_read else (own.tokens ->> 'cacheRead')::bigint end as cached,
               case when own.tokens is null then u.output + u.reasoning
                    else (own.tokens ->> 'output')::bigint + (own.tokens ->> 'reasoning')::bigint end as output
          from charging.usage_record u
          left join lateral (
            -- Only where several attempts cost something can the last one be owed for other tokens than the record's.
            select u.record #> '{attempts,-1,tokens}' as tokens where u.attempt_costs is not null) own on true
         where u.supplier = ${supplier} and u.completed_at_ms >= ${fromMs}::bigint and u.completed_at_ms < ${toMs}::bigint
        union all
        select u.id, u.service, attempt ->> 'model', u.completed_at_ms, (attempt ->> 'buyPico')::numeric,
               coalesce((attempt -> 'tokens' ->> 'uncachedInput')::bigint + (attempt -> 'tokens' ->> 'cacheWrite')::bigint
                 + (attempt -> 'tokens' ->> 'cacheRead')::bigint, 0),
               coalesce((attempt -> 'tokens' ->> 'cacheRead')::bigint, 0),
               coalesce((attempt -> 'tokens' ->> 'output')::bigint + (attempt -> 'tokens' ->> 'reasoning')::bigint, 0)
          from charging.usage_record u
         cross join lateral json_array_elements(u.record -> 'attempts') attempt
         where u.completed_at_ms >= ${fromMs}::bigint and u.completed_at_ms < ${toMs}::bigint
           and u.attempt_costs @> jsonb_build_array(jsonb_build_object('supplier', ${supplier}::text))
           and attempt ->> 'supplier' = ${supplier} and attempt ->> 'buyPico' is not null) part
     group by part.record
    having sum(part.amount) > 0 or sum(part.input + part.output) > 0
  `
}
