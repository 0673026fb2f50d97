// Before "npm publish": the package says where its source and its issues are, and is published from there. Links that
// lead to somebody else's repository would send this package's users, and their reports of security holes, to a
// stranger.
//   node scripts/check-publishable.mjs [directory of package.json]
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './toolchain.mjs'

const directory = process.argv[2] ?? root
const { repository, homepage, bugs } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
const addresses = { repository: repository?.url, homepage, bugs: bugs?.url }

/** `host/owner/name` of a repository's address or of a page under it, however Git or npm write it; null: of none. */
function repositoryOf(address) {
  const match =
    /^(?:(?:git\+)?(?:https|ssh):\/\/(?:[^@/]*@)?|git@)([\w.-]+)(?::\d+(?=\/))?[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?(?:[/#].*)?$/.exec(
      address ?? '',
    )
  return match === null ? null : `${match[1]}/${match[2]}`.toLowerCase()
}

function originOf(checkout) {
  const { status, stdout } = spawnSync('git', ['remote', 'get-url', 'origin'], {
    cwd: checkout,
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : null
}

function* refusals() {
  for (const [name, url] of Object.entries(addresses)) {
    if (!/^(git\+)?https:/.test(url ?? '') || repositoryOf(url) === null) {
      yield `package.json has no "${name}" with an https address; add it and publish again`
    } else if (repositoryOf(url) !== repositoryOf(repository?.url)) {
      yield `"${name}" of package.json, ${url}, is not of the repository that "repository" names`
    }
  }
  const origin = originOf(directory)
  if (repositoryOf(origin) === null || repositoryOf(origin) !== repositoryOf(repository?.url)) {
    const shown = origin?.replace(/\/\/[^@/]*@/, '//') ?? 'nothing'
    yield `package.json says that the package is from ${repository?.url}, but "git remote get-url origin" says ${shown}. Its links would lead its users to a stranger: publish from a clone of that repository, or write your own addresses into package.json and SECURITY.md first`
  }
}

const refused = [...refusals()]
for (const refusal of refused) process.stderr.write(`outhook: ${refusal}\n`)
process.exitCode = refused.length === 0 ? 0 : 1
