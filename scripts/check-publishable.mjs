// Before "npm publish": a package that does not say where its source and its issues are leaves its users alone.
//   node scripts/check-publishable.mjs [package.json]
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './toolchain.mjs'

const file = process.argv[2] ?? join(root, 'package.json')
const { repository, homepage, bugs } = JSON.parse(readFileSync(file, 'utf8'))
const addresses = { repository: repository?.url, homepage, bugs: bugs?.url }
const missing = Object.entries(addresses).filter(([, url]) => !/^(git\+)?https:\/\/[^/]+\/./.test(url ?? ''))

for (const [name] of missing) {
  process.stderr.write(
    `outhook: package.json has no "${name}" with an https address; add it and publish again\n`,
  )
}
process.exitCode = missing.length === 0 ? 0 : 1
