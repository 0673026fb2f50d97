/** A page for each error code: what a problem's `type` leads to, for people. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type ErrorCode, errorTable, OuthookError } from '../core/errors.ts'
import { errorGuide } from './error-guide.ts'
import { problemTypeOf, problemTypePrefix } from './problem.ts'

const pagePolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const codes = Object.keys(errorTable) as ErrorCode[]

/** The routes of the pages. They are no part of the OpenAPI document. */
export async function errorPages(app: FastifyInstance): Promise<void> {
  const schema = { hide: true }
  app.get(problemTypePrefix.slice(0, -1), { schema }, (_request, reply) => sendPage(reply, renderIndex()))
  app.get<{ Params: { code: string } }>(`${problemTypePrefix}:code`, { schema }, (request, reply) => {
    const code = codes.find((known) => known === request.params.code)
    if (code === undefined) {
      throw new OuthookError(
        'not_found',
        `there is no such error code; ${problemTypePrefix.slice(0, -1)} has all`,
      )
    }
    return sendPage(reply, renderError(code))
  })
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply
    .headers({ 'content-security-policy': pagePolicy, 'cache-control': 'no-cache' })
    .type('text/html; charset=utf-8')
    .send(page)
}

function renderError(code: ErrorCode): string {
  const { status, title } = errorTable[code]
  const { happened, todo } = errorGuide[code]
  return renderPage(
    title,
    `<p>Status ${status}, code <code>${code}</code></p>
<h2>What happened</h2>
<p>${toHtml(happened)}</p>
<h2>What to do</h2>
<p>${toHtml(todo)}</p>
<p><a href="../errors">All errors</a></p>`,
  )
}

function renderIndex(): string {
  const rows = codes.map((code) => {
    const { status, title } = errorTable[code]
    // Absolute paths would miss a prefix that a proxy has put in front.
    const link = `<a href="${problemTypeOf(code).slice('/docs/'.length)}"><code>${code}</code></a>`
    return `<tr><td>${status}</td><td>${link}</td><td>${title}</td></tr>`
  })
  return renderPage(
    'errors',
    `<table>
<thead><tr><th>Status</th><th>Code</th><th>Title</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`,
  )
}

function renderPage(title: string, content: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Outhook: ${title}</title>
</head>
<body>
<h1>${title}</h1>
${content}
</body>
</html>
`
}

/** The guide's sentences: Markdown's code marks, and characters that HTML would read as its own. */
function toHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return escaped.replace(/`([^`]+)`/g, '<code>$1</code>')
}
