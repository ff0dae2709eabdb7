import { defineConfig } from 'vitest/config'

/** Files run in a few long-lived processes without isolation: five to ten times faster, and module-level state is noticed. */
const shared = { pool: 'forks', isolate: false, testTimeout: 30_000, hookTimeout: 60_000, allowOnly: false } as const

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['{src,tools,test,web,bench,sim}/**/*.test.{ts,tsx}'],
          exclude: ['**/*.integration.test.ts', '**/node_modules/**', '**/dist/**'],
        },
      },
      {
        test: {
          ...shared,
          name: 'integration',
          include: ['{src,tools,test,sim}/**/*.integration.test.ts'],
          globalSetup: ['test/setup-postgres.ts'],
        },
      },
    ],
  },
})
