/** How the test receiver answers, by path. A path that names no mode is accepted. */

export type ReceiverMode =
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'fail_first'; readonly times: number }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'flap' }
  | { readonly kind: 'slow_body' }
  | { readonly kind: 'drop' }

/** A mode without the ones that depend on what came before. */
export type Answer = Exclude<ReceiverMode, { readonly kind: 'fail_first' | 'flap' }>

const accept: ReceiverMode = { kind: 'answer', status: 200 }
const stallMs = 30_000

/** Path and meaning, for people. */
export const receiverModes: readonly (readonly [path: string, meaning: string])[] = [
  ['/hook, /succeed, any other path', '200'],
  ['/fail/{n}', '500 for the first n requests of each delivery, then 200'],
  ['/flap', '500 for about half of the requests'],
  ['/status/{code}', 'that status'],
  ['/slow/{ms}', '200 after that many milliseconds'],
  ['/timeout', 'nothing for 30 seconds'],
  ['/slow-body', '200 at once, then a body of 1 MB that takes 6 seconds'],
  ['/redirect', '302 to /redirected'],
  ['/retry-after', '429 with Retry-After: 120'],
  ['/drop', 'closes the connection without an answer'],
]

export function modeOf(path: string): ReceiverMode {
  const [name, argument] = path.slice(1).split('/')
  switch (name) {
    case 'fail':
      return { kind: 'fail_first', times: numberIn(argument, 0, 1_000_000) ?? 1 }
    case 'flap':
      return { kind: 'flap' }
    case 'status': {
      const status = numberIn(argument, 200, 599)
      return { kind: 'answer', status: status ?? 400 }
    }
    case 'slow':
      return { kind: 'delay', ms: numberIn(argument, 0, 600_000) ?? 1000 }
    case 'timeout':
      return { kind: 'delay', ms: stallMs }
    case 'slow-body':
      return { kind: 'slow_body' }
    case 'redirect':
      return { kind: 'answer', status: 302, headers: { location: '/redirected' } }
    case 'retry-after':
      return { kind: 'answer', status: 429, headers: { 'retry-after': '120' } }
    case 'drop':
      return { kind: 'drop' }
    default:
      return accept
  }
}

function numberIn(text: string | undefined, min: number, max: number): number | null {
  if (text === undefined || !/^\d+$/.test(text)) return null
  const value = Number(text)
  return value >= min && value <= max ? value : null
}
