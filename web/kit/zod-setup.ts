import * as z from 'zod'

/** Zod's compiled parsers need `eval`, which the console's content security policy forbids. Import this before any schema. */
z.config({ jitless: true })
