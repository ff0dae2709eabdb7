import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { consoleOpenApi } from './control-openapi.ts'

test('the published description is the one that the schemas give; `npx vitest run control-openapi -u` renews it', async () => {
  const file = fileURLToPath(new URL('../../docs/openapi/console-api.yaml', import.meta.url))
  await expect(stringify(consoleOpenApi(), { aliasDuplicateObjects: false, lineWidth: 0 })).toMatchFileSnapshot(file)
})
