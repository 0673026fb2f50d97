/** Requests as lines for a shell. Everything in them may be somebody else's text, so each word is quoted. Pure. */

export interface CurlRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** Null: the request has none. */
  readonly body: string | null
}

/** What stands in the place of a text that the page does not know or must not show. */
export const keyPlaceholder = 'YOUR_PRODUCER_KEY'

/**
 * `--globoff`: brackets and braces of a URL are themselves. `--data-raw`: a body that begins with `@` is that and no
 * name of a file.
 */
export function curlOf({ method, url, headers, body }: CurlRequest): string {
  return [
    `curl --globoff --request ${quote(method)} ${quote(url)}`,
    // Without a value curl takes the header out, unless a semicolon stands for it.
    ...headers.map(
      ({ name, value }) => `  --header ${quote(value === '' ? `${name};` : `${name}: ${value}`)}`,
    ),
    ...(body === null ? [] : [`  --data-raw ${quote(body)}`]),
  ].join(' \\\n')
}

/** For a POSIX shell, in which nothing between single quotes means anything but the quote itself. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
