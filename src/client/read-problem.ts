/** What an answer that is no success says, and what keeps an answer from coming. */

export function problemOf(response: Response, bytes: Uint8Array) {
  const retryAfter = response.headers.get('retry-after') ?? ''
  const { code, title, detail } = readProblem(new TextDecoder().decode(bytes))
  const isRedirect = response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)
  const reason = isRedirect
    ? 'the server answers with a redirect, which is not followed; give the address that it leads to'
    : response.statusText || 'the server gave no reason'
  return {
    // A browser does not tell which redirect it was.
    status: response.status === 0 ? 302 : response.status,
    code: code ?? null,
    title: title ?? `HTTP ${response.status === 0 ? 'redirect' : response.status}`,
    detail: detail ?? reason,
    retryAfterSeconds: /^\d+$/.test(retryAfter) ? Number(retryAfter) : null,
  }
}

function readProblem(text: string): Partial<Record<'code' | 'title' | 'detail', string>> {
  try {
    const { code, title, detail } = JSON.parse(text) as Record<string, unknown>
    return {
      ...(typeof code === 'string' && { code }),
      ...(typeof title === 'string' && { title }),
      ...(typeof detail === 'string' && { detail }),
    }
  } catch {
    return {}
  }
}

/** `fetch` says only "fetch failed"; what happened stands in the cause. */
export function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown }
  const { code, message } = (cause ?? error) as { readonly code?: string; readonly message?: string }
  if (code === 'ECONNREFUSED' || code === 'ConnectionRefused')
    return 'connection refused; is the server running?'
  return message || String(code ?? 'the request failed')
}
