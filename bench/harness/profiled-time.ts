/** What CPU profiles say of some files: how long their functions ran, with all that these called. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly url: string }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Of all threads whose profiles lie in the directory. */
export function profiledMicros(directory: string, files: RegExp): number {
  const names = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'))
  const profiles = names.map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Profile)
  return profiles.reduce((sum, profile) => sum + microsOf(profile, files), 0)
}

function microsOf({ nodes, samples, timeDeltas }: Profile, files: RegExp): number {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const within = new Set<number>()
  const enter = (id: number) => {
    within.add(id)
    for (const child of byId.get(id)?.children ?? []) enter(child)
  }
  for (const { id, callFrame } of nodes) if (files.test(callFrame.url)) enter(id)
  return samples.reduce((sum, id, at) => sum + (within.has(id) ? (timeDeltas[at] ?? 0) : 0), 0)
}
