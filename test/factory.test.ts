import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { startFactory } from './factory.ts'

test('a factory that does not start leaves no data directory behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfactory-tmp-'))
  vi.stubEnv('TMPDIR', folder)
  try {
    await expect(startFactory({ document: '', env: { GATEWAY_PORT: 'none' } })).rejects.toThrow(
      /exited with 1.*GATEWAY_PORT/s,
    )
    expect(readdirSync(folder)).toEqual([])
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
  }
})
