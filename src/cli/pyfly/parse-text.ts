import { UsageError } from '../exit-codes.ts'
import type { FileText, Path } from './file-members.ts'

/** What the errors of a parser mean. Its own words may hold a line of the file, and so a secret. */
const meanings: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias has no anchor',
  BAD_DQ_ESCAPE: 'a text in double quotes has an escape that does not exist',
  BAD_INDENT: 'the indentation is wrong',
  BAD_SCALAR_START: 'a text that begins so has to stand in quotes',
  DUPLICATE_KEY: 'a member stands there twice',
  MISSING_CHAR: 'something is missing here, such as a comma, a bracket or a quote',
  MULTIPLE_DOCS: 'a second document begins here; import each by itself',
  UNEXPECTED_TOKEN: 'this does not belong here; is something missing before it, such as a comma or a quote?',
  TAB_AS_INDENT: 'a line is indented with tabs; use spaces',
}

/** JSON or YAML, of which JSON is a part. `name` is the file's, for errors. */
export async function parseText(text: string, name: string): Promise<FileText> {
  // Loaded here, because no other command needs it.
  const { parseDocument, LineCounter } = await import('../../bundled/yaml.ts')
  const lines = new LineCounter()
  const document = parseDocument(text.replace(/^\ufeff/, ''), {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'silent',
  })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0])
    const meaning = meanings[error.code] ?? 'this is neither JSON nor YAML'
    throw new UsageError(`${name}, line ${line}, column ${col}: ${meaning}`)
  }
  return {
    root: toValue(document, name),
    lineOf(path) {
      const offset = offsetOf(document, path)
      return offset === null ? 1 : lines.linePos(offset).line
    },
  }
}

interface Nodes {
  getIn(path: Iterable<unknown>, keepScalar: true): unknown
  readonly contents: unknown
}

function toValue(document: { toJS(): unknown }, name: string): unknown {
  try {
    return document.toJS()
  } catch {
    throw new UsageError(`${name} repeats itself by aliases too often; write it out`)
  }
}

function offsetOf(document: Nodes, path: Path): number | null {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    const range = (node as { readonly range?: readonly number[] } | undefined)?.range
    if (range?.[0] !== undefined) return range[0]
  }
  return null
}
