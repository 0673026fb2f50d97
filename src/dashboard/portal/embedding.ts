/** In a frame: which page may be told something. Pure. */

/**
 * Where to send it: the origin of the page around this one, if it is one that may stand there. A browser that does not
 * say which it is sends to each that may, and delivers to the right one alone.
 */
export function targetsOf(allowed: readonly string[], parentOrigin: string | null): readonly string[] {
  if (parentOrigin !== null) return allowed.some((one) => allows(one, parentOrigin)) ? [parentOrigin] : []
  return allowed.filter((one) => !one.includes('*'))
}

/** `https://*.example.com` is every host below it, as in a policy. */
function allows(allowed: string, origin: string): boolean {
  if (allowed === origin) return true
  const [scheme = '', host = ''] = allowed.split('://*')
  return allowed.includes('://*.') && origin.startsWith(`${scheme}://`) && origin.endsWith(host)
}
