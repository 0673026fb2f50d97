/** In a frame: the page that it stands in is told how high the portal is, and no other page is told anything. */
import { targetsOf } from './embedding.ts'

/** What is sent, again with each change. */
export interface HeightMessage {
  readonly type: 'outhook-portal-height'
  /** Pixels. */
  readonly height: number
}

export function tellHeight(allowed: readonly string[]): void {
  if (window.parent === window) return
  const { ancestorOrigins } = location
  const own = allowed.map((one) => (one === 'self' ? location.origin : one))
  const targets = targetsOf(own, ancestorOrigins?.item(0) ?? null)
  if (targets.length === 0) return
  let told = 0
  const tell = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height)
    if (height === told) return
    told = height
    const message: HeightMessage = { type: 'outhook-portal-height', height }
    for (const target of targets) window.parent.postMessage(message, target)
  }
  new ResizeObserver(tell).observe(document.documentElement)
  tell()
}
