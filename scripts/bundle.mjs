// What the build adds to the compiler's output, so that whoever installs Outhook need not install it:
// dist/bundled/, the libraries that only the server needs, one file each, and dist/api-page/, the files of /docs.
// Why: docs/decisions/0006-few-packages.md.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from './toolchain.mjs'

const bundled = join(root, 'dist', 'bundled')
const page = join(root, 'dist', 'api-page')

/** Replaces each file of dist/bundled by one that holds what it imports. */
export async function bundleLibraries() {
  // Loaded here: this file is read before anything is installed.
  const { build } = await import('rolldown')
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = readdirSync(bundled).filter((name) => name.endsWith('.js'))
  const { output } = await build({
    input: entries.map((name) => join(bundled, name)),
    platform: 'node',
    // What is installed anyway is not there twice.
    external: [...Object.keys(dependencies), 'supports-color'],
    logLevel: 'warn',
    // Not minified: a stack trace and whoever looks for a change should be able to read it.
    output: { format: 'esm', comments: { legal: true, annotation: true, jsdoc: false } },
    write: false,
  })
  rmSync(bundled, { recursive: true })
  mkdirSync(bundled)
  for (const { fileName, code } of output) writeFileSync(join(bundled, fileName), code)
  writeFileSync(join(bundled, 'NOTICES.txt'), renderNotices(output.flatMap((chunk) => chunk.moduleIds)))
}

/** Which packages a bundle holds, and under which license: what each of them asks for in return. */
function renderNotices(moduleIds) {
  const folders = new Set(moduleIds.flatMap((id) => packageFolder(id) ?? []))
  const notices = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : ''
    return `${name} ${version} (${license})\n${text && `\n${text}\n`}`
  })
  const rule = `\n${'-'.repeat(80)}\n\n`
  return ['The files in this folder hold these packages.\n', ...notices.sort()].join(rule)
}

function packageFolder(moduleId) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(moduleId)?.[0]
}

/** Files of Swagger UI that the page loads; the package that holds them is needed for the build alone. */
const fromSwaggerUi = ['swagger-ui-bundle.js', 'swagger-ui.css', 'index.css', 'favicon-32x32.png']

export function buildApiPage() {
  rmSync(page, { recursive: true, force: true })
  mkdirSync(page, { recursive: true })
  const source = join(root, 'src', 'api', 'page')
  const kit = join(root, 'node_modules', '@fastify', 'swagger-ui', 'static')
  const files = [
    ...readdirSync(source).map((name) => [name, join(source, name)]),
    ...fromSwaggerUi.map((name) => [name, join(kit, name)]),
  ]
  for (const [name, file] of files) {
    const text = readFileSync(file)
    writeFileSync(join(page, `${name}.gz`), gzipSync(text, { level: 9 }))
  }
  const { version } = JSON.parse(readFileSync(join(kit, '..', 'package.json'), 'utf8'))

  writeFileSync(
    join(page, 'NOTICES.txt'),
    `swagger-ui-bundle.js and swagger-ui.css are Swagger UI, Copyright SmartBear Software Inc., under the Apache\nLicense 2.0, as distributed in @fastify/swagger-ui ${version}. The license's text is in Outhook's LICENSE.\n`,
  )
}
