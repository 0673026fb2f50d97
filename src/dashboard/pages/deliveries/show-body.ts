/** The body of an answer as text, by its type of content. Never as HTML: whoever answered wrote it. Pure. */
import type { CapturedResponse } from '../../../client/index.ts'
import { indentJson } from '../../indent-json.ts'

interface ShownBody {
  /** What is said of it beside its name; begins with a comma where there is something. */
  readonly title: string
  readonly text: string
}

export function showBody({
  headers,
  body,
  encoding,
  truncated,
}: Pick<CapturedResponse, 'headers' | 'body' | 'encoding' | 'truncated'>): ShownBody {
  const type = headers.find(({ name }) => name === 'content-type')?.value ?? null
  const said = type === null ? '' : `, ${type}`
  if (body === '') return { title: said, text: '(empty)' }
  if (encoding === 'base64') return { title: `${said}, no text: in base64`, text: body }
  const isJson = type !== null && /^[^;]*[/+]json\b/i.test(type)
  const pretty = isJson && !truncated ? indentJson(body) : null
  return pretty === null ? { title: said, text: body } : { title: `${said}, indented`, text: pretty }
}
