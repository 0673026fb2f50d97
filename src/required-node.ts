/**
 * Imported first by every entry of the package: on a Node that is too old, what comes after it fails with words about
 * a missing function of Node's, and this says which Node is needed. Imports nothing, so that nothing runs before it.
 */

/** As `engines` in package.json and `bin/outhook.mjs` have it. */
const required = [22, 19] as const

/** What to say to whoever runs on this version of Node; null when it is new enough. */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > required[0] || (major === required[0] && minor >= required[1])) return null
  return (
    `outhook needs Node.js ${required.join('.')} or newer, and this is ${version}. ` +
    'Install a newer one from https://nodejs.org and start the program again.'
  )
}

const problem = nodeProblem(process.versions.node)
// Not an OuthookError: its class would have to be imported, and that could fail first.
if (problem !== null) throw Object.assign(new Error(problem), { code: 'ERR_OUTHOOK_NODE_VERSION' })
