// Writes the pages of docs/reference that are made from the source. Node runs the TypeScript as it is.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderErrorsReference, renderOpenApi } from '../src/api/reference.ts'
import { renderConfigReference } from '../src/config/reference.ts'
import { renderMetricsReference } from '../src/observability/metric-table.ts'
import { version } from '../src/version.ts'
import { root } from './toolchain.mjs'

const directory = join(root, 'docs', 'reference')
mkdirSync(directory, { recursive: true })
const pages = {
  'openapi.json': await renderOpenApi(version),
  'errors.md': renderErrorsReference(),
  'metrics.md': renderMetricsReference(),
  'configuration.md': renderConfigReference(),
}
for (const [name, text] of Object.entries(pages)) writeFileSync(join(directory, name), text)
