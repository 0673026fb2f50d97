/** The reference pages that are made from the source. A test holds the files in docs/reference against them. */
import { createSystemClock } from '../core/clock.ts'
import { type ErrorCode, errorTable } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import type { Engine } from '../engine/engine.ts'
import { openApiDocument } from './docs.ts'
import { errorGuide } from './error-guide.ts'
import { buildServer } from './server.ts'

/** The OpenAPI document as text. No route is called, so no engine is needed. */
export async function renderOpenApi(version: string): Promise<string> {
  const app = buildServer({} as Engine, {
    version,
    clock: createSystemClock(),
    log: silentLogger,
    metrics: {
      ingest() {},
      wrongToken() {},
      request() {},
      contentType: 'text/plain',
      render: async () => '',
    },
  })
  await app.ready()
  const document = openApiDocument(app)
  await app.close()
  return `${JSON.stringify(document, null, 2)}\n`
}

/** The reference page of the errors, in Markdown. */
export function renderErrorsReference(): string {
  const rows = Object.entries(errorTable)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(([code, { status, title }]) => {
      const { happened, todo } = errorGuide[code as ErrorCode]
      return `| ${status} | \`${code}\` | ${title} | ${happened} ${todo} |`
    })
  return `# Errors

<!-- Written from the source by "npm run docs:reference"; do not edit. -->

The library throws \`OuthookError\` with one of these codes; the server answers with the status, as
\`application/problem+json\`:

\`\`\`json
{"type":"/docs/errors/not_found","title":"not found","status":404,"detail":"what happened; what to do","code":"not_found"}
\`\`\`

Decide by \`code\` or \`status\`, never by text. \`type\` is a page of the server that answered, which says what this page
says of the code. The title of some answers is more particular than the one
here, such as \`event not found\`. 429 and 503 carry \`Retry-After\` in whole seconds, at most 10.

| status | code | title | what happened, and what to do |
|---|---|---|---|
${rows.join('\n')}
`
}
