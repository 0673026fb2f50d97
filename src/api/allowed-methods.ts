/** Which methods a path has. The router itself only knows what matches a method and path together. */
import type { FastifyInstance } from 'fastify'

export interface AllowedMethods {
  /** Sorted, with OPTIONS, which every path that has a method has too; `*` has those of all paths. */
  at(path: string): readonly string[]
  /** Whether the path stands in a route as it is, as `/v1/events/batch` does, which also looks like an event's. */
  isSpelled(path: string): boolean
}

export function collectMethods(app: FastifyInstance): AllowedMethods {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
    for (const one of [method].flat()) route.methods.add(one)
    routes.set(url, route)
  })
  const routesOf = (path: string) => {
    const spelled = routes.get(path)
    if (spelled !== undefined && !path.includes(':')) return [spelled]
    return [...routes.values()].filter(({ pattern }) => path === '*' || pattern.test(path))
  }
  return {
    at(path) {
      const found = routesOf(path)
      if (found.length === 0) return []
      return [...new Set(['OPTIONS', ...found.flatMap(({ methods }) => [...methods])])].sort()
    },
    isSpelled: (path) => routes.has(path),
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) =>
      part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&'),
    )
    .join('/')
  return new RegExp(`^${source}$`)
}
