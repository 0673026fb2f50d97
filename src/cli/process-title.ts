/**
 * The command line as other users of the machine may see it, who can list processes: without passwords and secrets.
 * They stand there for the moment until this runs, so secrets belong in the environment.
 */

/** Flags whose value is a secret; a test holds them against the settings. */
export const secretFlags: readonly string[] = [
  '--master-key',
  '--master-key-old',
  '--admin-token',
  '--alert-channels',
  '--outbound-proxy',
  '--token',
  '--secret',
]

const mask = '***'
/** The password of a URL, up to the last "@" before its path, because a password may hold one that nobody escaped. */
const passwordInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/?#]*):[^\s/?#]*@/gi
const passwordInQuery = /([?&](?:password|sslpassword)=)[^&#\s]*/gi

/** The arguments with every secret replaced; null when there is none. */
export function maskArguments(args: readonly string[]): readonly string[] | null {
  const masked = args.map((arg, index) => {
    if (index > 0 && secretFlags.includes(args[index - 1] ?? '')) return mask
    const [flag = '', ...value] = arg.split('=')
    if (value.length > 0 && secretFlags.includes(flag)) return `${flag}=${mask}`
    return arg.replace(passwordInUrl, `$1:${mask}@`).replace(passwordInQuery, `$1${mask}`)
  })
  return masked.some((arg, index) => arg !== args[index]) ? masked : null
}
