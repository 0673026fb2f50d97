// Builds src/dashboard/ into dist/dashboard/: a page, and assets whose names change with what is in them, each compressed.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from './toolchain.mjs'

const directory = join(root, 'dist', 'dashboard')

export async function buildDashboard() {
  // Loaded here: this file is read before anything is installed.
  const { build } = await import('vite')
  await build({
    configFile: false,
    root: join(root, 'src', 'dashboard'),
    // Addresses are relative, so that the page works below any path.
    base: './',
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir: directory,
      emptyOutDir: true,
      target: 'es2023',
      // The page's policy lets nothing in that stands inline.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // Which chunk needs which: what a view takes is added up from it.
      manifest: 'manifest.json',
      rollupOptions: {
        input: ['index.html', 'portal.html'].map((page) => join(root, 'src', 'dashboard', page)),
      },
    },
  })
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
    rmSync(file)
  }
  const notices = ['preact', 'uplot'].map((name) => {
    const folder = join(root, 'node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`
  })
  writeFileSync(join(directory, 'NOTICES.txt'), `The files in this folder hold:\n\n${notices.join('\n')}`)
}
