/**
 * The catalogue as a page that people read, the developers of those who receive events: HTML and one stylesheet, without
 * a script. Whatever stands in a type is text there and nothing else.
 */
import type { FastifyReply } from 'fastify'
import type { EventType } from '../core/event-type.ts'
import { groupsOf } from '../core/event-type-documents.ts'
import { listMembers } from '../core/schema-members.ts'

const policy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export interface PageAddresses {
  /** From the page. */
  readonly style: string
  readonly openApi: string
  readonly asyncApi: string
}

export function sendEventTypesPage(
  reply: FastifyReply,
  types: readonly EventType[],
  addresses: PageAddresses,
): FastifyReply {
  return reply
    .headers({
      'content-security-policy': policy,
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
    })
    .type('text/html; charset=utf-8')
    .send(renderPage(types, addresses))
}

function renderPage(types: readonly EventType[], { style, openApi, asyncApi }: PageAddresses): string {
  const groups = [...groupsOf(types), null]
  const ofGroup = (group: string | null) => types.filter((type) => type.group === group)
  const filled = groups.filter((group) => ofGroup(group).length > 0)
  const index = filled.map((group) => renderIndex(group, ofGroup(group)))
  const sections = filled.flatMap((group) => ofGroup(group)).map(renderType)
  const empty = '<p>There are no event types yet.</p>'
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Event types</title>
<link rel="stylesheet" href="${style}">
</head>
<body>
<header>
<h1>Event types</h1>
<p>The events that you can receive as webhooks. As documents for tools: <a href="${openApi}">OpenAPI</a>, <a href="${asyncApi}">AsyncAPI</a>.</p>
</header>
<nav aria-label="Event types">
${types.length === 0 ? empty : index.join('\n')}
</nav>
<main>
${sections.join('\n')}
</main>
</body>
</html>
`
}

function renderIndex(group: string | null, types: readonly EventType[]): string {
  const links = types.map(
    (type) => `<li><a href="#${anchorOf(type)}">${toHtml(type.name)}</a>${renderDeprecated(type)}</li>`,
  )
  return `<h2>${group === null ? 'Others' : toHtml(group)}</h2>\n<ul>\n${links.join('\n')}\n</ul>`
}

function renderType(type: EventType): string {
  const { name, description, example, schema } = type
  const paragraphs = description.split(/\n{2,}/).filter((text) => text.trim() !== '')
  return `<section id="${anchorOf(type)}" aria-label="${toHtml(name)}">
<h2>${toHtml(name)}${renderDeprecated(type)}</h2>
${paragraphs.map((text) => `<p>${toHtml(text)}</p>`).join('\n')}
${renderMembers(schema)}
${example === null ? '' : `<h3>Example</h3>\n${renderJson(example)}`}
${schema === null ? '' : `<details><summary>JSON Schema</summary>${renderJson(schema)}</details>`}
</section>`
}

function renderDeprecated({ deprecated }: EventType): string {
  return deprecated ? ' <strong>deprecated</strong>' : ''
}

function renderMembers(schema: unknown): string {
  const rows = listMembers(schema)
  if (rows.length === 0) return ''
  const cells = rows.map(
    ({ path, type, isRequired, description }) =>
      `<tr><td><code>${toHtml(path)}</code></td><td>${toHtml(type)}</td><td>${isRequired ? 'always' : ''}</td><td>${toHtml(description)}</td></tr>`,
  )
  return `<div class="scroll" tabindex="0" role="region" aria-label="Members">
<table>
<thead><tr><th>Member</th><th>Type</th><th>There</th><th>What it is</th></tr></thead>
<tbody>
${cells.join('\n')}
</tbody>
</table>
</div>`
}

function renderJson(value: unknown): string {
  return `<pre tabindex="0">${toHtml(JSON.stringify(value, null, 2))}</pre>`
}

/** Letters, digits and what an address may hold as it is. */
function anchorOf({ name }: EventType): string {
  return toHtml(encodeURIComponent(name))
}

/** For text and for attributes in double quotes. */
function toHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

export const pageStyle = `:root { color-scheme: light dark; --line: #8885; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { overflow-wrap: anywhere; }
nav ul { columns: 16rem; padding-left: 1.2rem; }
nav li { overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding-top: 0.5rem; margin-top: 2rem; }
section p { white-space: pre-line; overflow-wrap: anywhere; }
strong { font-size: 0.8rem; border: 1px solid; border-radius: 0.3rem; padding: 0 0.3rem; }
.scroll, pre { overflow-x: auto; }
pre { border: 1px solid var(--line); border-radius: 0.3rem; padding: 0.75rem; font-size: 0.875rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); }
summary { cursor: pointer; margin-top: 1rem; }
`
