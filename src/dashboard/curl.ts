/** Requests as lines for a shell. Everything in them may be somebody else's text, so each word is quoted. Pure. */

export interface CurlRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** Null: the request has none. */
  readonly body: string | null
  /** What the body is called where it has to be saved first. */
  readonly bodyFile: string
}

/** Linux takes no longer argument: 128 KiB, with the zero byte that ends it. */
const maxArgumentBytes = 131_071

/** Whether a body cannot stand in the line itself. */
export function needsFile(body: string | null): boolean {
  return body !== null && new TextEncoder().encode(body).length > maxArgumentBytes
}

/** What stands in the place of a text that the page does not know or must not show. */
export const keyPlaceholder = 'YOUR_PRODUCER_KEY'

/**
 * `--globoff`: brackets and braces of a URL are themselves. `--data-raw`: a body that begins with `@` is that and no
 * name of a file. `--data-binary`: a file goes as it is, with its line ends.
 */
export function curlOf({ method, url, headers, body, bodyFile }: CurlRequest): string {
  return [
    `curl --globoff --request ${quote(method)} ${quote(url)}`,
    // Without a value curl takes the header out, unless a semicolon stands for it.
    ...headers.map(
      ({ name, value }) => `  --header ${quote(value === '' ? `${name};` : `${name}: ${value}`)}`,
    ),
    ...(body === null ? [] : [`  ${dataOf(body, bodyFile)}`]),
  ].join(' \\\n')
}

function dataOf(body: string, bodyFile: string): string {
  return needsFile(body) ? `--data-binary ${quote(`@${bodyFile}`)}` : `--data-raw ${quote(body)}`
}

/** For a POSIX shell, in which nothing between single quotes means anything but the quote itself. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
