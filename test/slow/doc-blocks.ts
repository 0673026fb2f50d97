/** The code blocks of the documentation, with what stands above them about running them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

export interface DocBlock {
  /** `docs/quickstart.md:12`. */
  readonly place: string
  readonly language: string
  readonly code: string
  /** From `<!-- run: … -->` on the line before; null when nothing is said. */
  readonly run: string | null
}

/** Of README.md and docs/, without the generated reference. */
export function readDocBlocks(): readonly DocBlock[] {
  const pages = readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('reference'))
    .map((name) => join(repository, 'docs', name))
  return [join(repository, 'README.md'), ...pages.sort()].flatMap(readBlocks)
}

function readBlocks(page: string): DocBlock[] {
  const lines = readFileSync(page, 'utf8').split('\n')
  const blocks: DocBlock[] = []
  for (let index = 0; index < lines.length; index++) {
    const language = /^```(\w+)$/.exec(lines[index] ?? '')?.[1]
    if (language === undefined) continue
    const end = lines.indexOf('```', index)
    blocks.push({
      place: `${relative(repository, page).replaceAll('\\', '/')}:${index + 1}`,
      language,
      code: lines.slice(index + 1, end).join('\n'),
      run: /^<!-- run: (.+) -->$/.exec(lines[index - 1] ?? '')?.[1] ?? null,
    })
    index = end
  }
  return blocks
}
