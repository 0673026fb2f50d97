// Writes what is made from the source: pages of docs/reference, and the client's types and calls. Node runs the TypeScript as it is.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderErrorsReference, renderOpenApi } from '../src/api/reference.ts'
import { renderConfigReference } from '../src/config/reference.ts'
import { kinds } from '../src/destinations/kinds.ts'
import { renderMetricsReference } from '../src/observability/reference.ts'
import { version } from '../src/version.ts'
import {
  renderClientResources,
  renderClientTypes,
  renderEndpointKinds,
  renderKeptNames,
} from './client-source.mjs'
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

const document = JSON.parse(pages['openapi.json'])
const client = join(root, 'src', 'client', 'generated')
mkdirSync(client, { recursive: true })
writeFileSync(join(client, 'types.ts'), renderClientTypes(document))
writeFileSync(join(client, 'resources.ts'), renderClientResources(document))
writeFileSync(join(client, 'kept-names.ts'), renderKeptNames(document))
writeFileSync(join(client, 'endpoint-kinds.ts'), renderEndpointKinds(kinds))
