// Writes docs/reference/configuration.md from the compiled table of settings.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renderConfigReference } from '../dist/config/reference.js'
import { root } from './toolchain.mjs'

const page = join(root, 'docs', 'reference', 'configuration.md')
mkdirSync(dirname(page), { recursive: true })
writeFileSync(page, renderConfigReference())
