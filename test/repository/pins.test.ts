/** What is fetched by name when an image is built or the gate runs is the bytes that somebody looked at. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const root = resolve(import.meta.dirname, '../..')
const files = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).stdout.split('\0')
const filesLike = (pattern: RegExp): readonly string[] => files.filter((file) => pattern.test(file))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

const pinnedImage = /^[\w./-]+(:[\w.-]+)?@sha256:[0-9a-f]{64}$/
/** What this repository builds. */
const ownImage = 'outhook'

interface Found {
  readonly file: string
  readonly name: string
}

/** Of each `FROM` and `COPY --from`, but for the stages of the file itself. */
function imagesOfDockerfile(file: string): readonly string[] {
  const text = read(file)
  const stages = [...text.matchAll(/^FROM .* AS (\S+)$/gim)].map(([, stage]) => stage)
  const named = [...text.matchAll(/^FROM (?:--\S+ )*(\S+)|^COPY --from=(\S+)/gim)].map(
    ([, from, copied]) => from ?? copied ?? '',
  )
  return named.filter((name) => !stages.includes(name))
}

/** Whatever stands under `image`, `container` or `uses: docker://`, however deep, unless it is built here. */
function imagesOfYaml(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'build' in value ? [] : ['image', 'container'].map((key) => (value as Members)[key])
  const action = String((value as Members).uses ?? '')
  if (action.startsWith('docker://')) own.push(action.slice('docker://'.length))
  return [
    ...own.filter((name): name is string => typeof name === 'string'),
    ...Object.values(value).flatMap(imagesOfYaml),
  ]
}
type Members = Readonly<Record<string, unknown>>

/** What a shell line runs or pulls: the first word after the options, of which those below have a value. */
function imagesOfCommands(text: string): readonly string[] {
  const withValue =
    /^(-p|-v|-e|-u|-w|--name|--network|--publish|--volume|--env|--user|--entrypoint|--mount|--platform)$/
  return [...text.matchAll(/\b(?:docker|podman) (?:run|pull|create) ([^\n|&;]*)/g)].flatMap(
    ([, rest = '']) => {
      const words = rest.replace(/\$\([^)]*\)/g, 'value').split(/\s+/)
      for (let n = 0; n < words.length; n++) {
        const word = words[n] as string
        if (withValue.test(word)) n++
        else if (!word.startsWith('-')) return [word.replace(/[`'"]+$/, '')]
      }
      return []
    },
  )
}

function everyImage(): readonly Found[] {
  const dockerfiles = filesLike(/(^|\/)(Dockerfile|Containerfile)[^/]*$/)
  const yaml = filesLike(/\.ya?ml$/)
  const texts = filesLike(/\.(md|ya?ml|sh|service)$|(^|\/)(Dockerfile[^/]*)$|^\.ci\//)
  return [
    ...dockerfiles.flatMap((file) => imagesOfDockerfile(file).map((name) => ({ file, name }))),
    ...yaml.flatMap((file) =>
      imagesOfYaml(parse(read(file), { merge: true })).map((name) => ({ file, name })),
    ),
    ...texts.flatMap((file) => imagesOfCommands(read(file)).map((name) => ({ file, name }))),
  ]
}

test('every image of others is pinned to a digest, wherever one is built from, run or named', () => {
  const others = everyImage().filter(({ name }) => name !== ownImage)
  // Both stages of the Dockerfile, and the database of compose.yaml.
  expect(others.length).toBeGreaterThanOrEqual(3)
  expect(others.filter(({ name }) => !pinnedImage.test(name))).toEqual([])
})

test('a base image has one digest, so that what was built runs on what it was built on', () => {
  const bases = imagesOfDockerfile('Dockerfile')
  expect(bases).toHaveLength(2)
  expect(new Set(bases).size).toBe(1)
})

test('every action of the gate is pinned to a commit, with its version beside it', () => {
  const used = filesLike(/^\.github\/.*\.ya?ml$/).flatMap((file) =>
    [...read(file).matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, use = '']) => use),
  )
  expect(used.length).toBeGreaterThan(3)
  for (const use of used) expect(use).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test('the pins are renewed by a machine, once a week', () => {
  const { updates } = parse(read('.github/dependabot.yml'))
  const kinds = (updates as { 'package-ecosystem': string }[]).map((update) => update['package-ecosystem'])
  expect(kinds).toEqual(expect.arrayContaining(['github-actions', 'docker', 'docker-compose']))
})
