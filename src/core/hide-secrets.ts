/**
 * Takes the secrets of a request out of what came back: receivers echo headers in error pages, and an answer is kept and
 * shown. Each is looked for as it was sent, and as JSON, HTML, URLs and base64 write it.
 */
import type { CapturedResponse } from './model.ts'

export const hiddenText = '[hidden]'

/** Shorter ones would blot out ordinary words, and are no secrets. */
const minSecretChars = 4
/** What is left of a secret where a capture was cut off. */
const minTailChars = 4

/** Every form in which the secrets may come back, longest first, so that none is left half. */
export function secretForms(secrets: readonly string[]): readonly string[] {
  const forms = new Set<string>()
  for (const secret of secrets) {
    if (secret.length < minSecretChars) continue
    const bytes = Buffer.from(secret, 'utf8')
    const written = [
      secret,
      bytes.toString('latin1'),
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret.toWellFormed()),
      encodeURIComponent(secret.toWellFormed()).replaceAll('%20', '+'),
      escapeHtml(secret),
      bytes.toString('base64'),
      bytes.toString('base64url'),
      bytes.toString('hex'),
    ]
    for (const form of written) forms.add(Buffer.from(form, 'utf8').toString('latin1')).add(form)
  }
  return [...forms].sort((a, b) => b.length - a.length)
}

export function hideInText(text: string, forms: readonly string[]): string {
  let hidden = text
  for (const form of forms) hidden = hidden.replaceAll(form, hiddenText)
  return hidden
}

/** The same response where none of them stands in it. */
export function hideInResponse(response: CapturedResponse, forms: readonly string[]): CapturedResponse {
  const headers = response.headers.map(
    ([name, value]) => [hideInText(name, forms), hideInText(value, forms)] as const,
  )
  const bytes = Buffer.from(response.body.buffer, response.body.byteOffset, response.body.byteLength)
  const text = bytes.toString('latin1')
  const hidden = hideInText(text, forms)
  const cut = response.truncated ? cutTail(hidden, forms) : hidden
  const body = cut === text ? response.body : new Uint8Array(Buffer.from(cut, 'latin1'))
  return { ...response, headers, body: body.subarray(0, bytes.length) }
}

/** The capture may end in the middle of a secret. */
function cutTail(text: string, forms: readonly string[]): string {
  let cut = text
  for (const form of forms) {
    const most = Math.min(form.length - 1, text.length)
    for (let length = most; length >= minTailChars; length--) {
      if (!text.endsWith(form.slice(0, length))) continue
      if (text.length - length < cut.length) cut = text.slice(0, text.length - length)
      break
    }
  }
  return cut
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
