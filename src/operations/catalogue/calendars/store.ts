import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { CalendarRow } from '../model.ts'

export async function selectCalendars(db: Queryable): Promise<CalendarRow[]> {
  return db.rows<CalendarRow>(sql`
    select id, display_name as "displayName", source, covers_from as "coversFrom", covers_to as "coversTo", holidays,
           worked_weekend_days as "workedWeekendDays"
      from catalogue.calendar
     order by id
  `)
}

export async function upsertCalendar(tx: Transaction, row: CalendarRow): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.calendar (id, display_name, source, covers_from, covers_to, holidays, worked_weekend_days)
    values (${row.id}, ${row.displayName}, ${row.source}, ${row.coversFrom}, ${row.coversTo}, ${row.holidays},
            ${row.workedWeekendDays})
        on conflict (id) do update
       set display_name = excluded.display_name, source = excluded.source, covers_from = excluded.covers_from,
           covers_to = excluded.covers_to, holidays = excluded.holidays,
           worked_weekend_days = excluded.worked_weekend_days
  `)
}
