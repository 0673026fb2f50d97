/** Decides from the file alone what an import makes. */
import { createHash } from 'node:crypto'
import type { RetryPolicy } from '../../client/generated/types.ts'
import { maxAuthorizedHosts } from '../../core/credential.ts'
import { isOperationalTopic } from '../../core/operational-events.ts'
import { retryProfiles } from '../../core/retry-policy.ts'
import { secretProblem } from '../../core/signing-secrets.ts'
import { topicProblem } from '../../core/topics.ts'
import { hostOf, planDomains, refusedHost } from './authorized-domains.ts'
import {
  type CallbackConfig,
  type CallbackFile,
  type CallbackSubscription,
  callbackDefaults,
  type Place,
} from './callback-file.ts'
import type {
  CredentialContent,
  ImportPlan,
  PlannedCredential,
  PlannedEndpoint,
  Remark,
  Remarks,
} from './import-plan.ts'
import { planHeaders } from './plan-headers.ts'
import { planSettings } from './plan-settings.ts'

export function planImport(file: CallbackFile): ImportPlan {
  const remarks: Remark[] = file.ignored.map((ignored) => ({ ...ignored, isLoss: false }))
  const remark = (one: Remark): void => void remarks.push(one)
  const isOn = file.settings.enabled?.value ?? true
  const settings = planSettings(file.settings, remark)
  const byTenant = Map.groupBy(file.configs, ({ tenantId }) => tenantId)
  const tenants = [...byTenant].map(([tenantId, configs]) => {
    const planned = configs.map((config) => planConfig(isOn ? config : { ...config, enabled: false }, remark))
    const endpoints = planned.flatMap((each) => each.endpoints.map((one) => ({ ...one, settings })))
    return {
      place: (configs[0] as CallbackConfig).place,
      uid: tenantId === '' ? null : tenantId,
      authorizedDomains: planDomains(configs, endpoints, remark),
      credentials: planned.flatMap((each) => each.credentials),
      endpoints,
    }
  })
  return { tenants, remarks }
}

interface PlannedConfig {
  readonly endpoints: readonly Omit<PlannedEndpoint, 'settings'>[]
  readonly credentials: readonly PlannedCredential[]
}

function planConfig(config: CallbackConfig, remark: Remarks): PlannedConfig {
  const { secret } = config
  if (secret !== null && secretProblem(secret.value, ['pyfly']) !== null) {
    remark({
      place: secret.place,
      problem: 'is none that can be kept: one has 8 to 256 visible ASCII characters, without spaces',
      advice: 'give this config another secret, in pyfly and at its receivers, and import again',
      isLoss: true,
    })
    return { endpoints: [], credentials: [] }
  }
  const requests = config.subscriptions.flatMap((one) => planRequest(config, one, remark) ?? [])
  const retryPolicy = planRetries(config, remark)
  const credentials = new CredentialNames(config)
  const uids = new Set<string>()
  const groups = Map.groupBy(requests, ({ url, credential }) => JSON.stringify([url, credential]))
  const endpoints = [...groups.values()].map((group) => {
    const [{ url, credential, place }] = group as [PlannedRequest]
    const uid = uidOf(config.id, url, uids)
    return {
      ...{ uid, url, place, retryPolicy, description: descriptionOf(config) },
      secret: secret?.value ?? null,
      credential: credential === null ? null : credentials.nameOf(credential, { uid, url, place }),
      subscriptions: group.map(({ topic, headers, place: at }) => ({
        topic,
        headers: Object.fromEntries(headers),
        // Without an attempt pyfly sends nothing.
        active: config.enabled && config.maxAttempts.value > 0,
        place: at,
      })),
    }
  })
  return { endpoints, credentials: credentials.planned }
}

interface PlannedRequest {
  readonly url: string
  /** In the order of their names. */
  readonly headers: readonly (readonly [string, string])[]
  readonly credential: CredentialContent | null
  readonly topic: string
  readonly place: Place
}

/** Null, with a remark: it cannot be made, or pyfly would send nothing to it either. */
function planRequest(
  config: CallbackConfig,
  { place, eventType, targetUrl, headers }: CallbackSubscription,
  remark: Remarks,
): PlannedRequest | null {
  const topic = eventType.value
  const wrongTopic = topicIsWrong(topic)
  if (wrongTopic !== null) {
    remark({ place: eventType.place, ...wrongTopic })
    return null
  }
  const url = URL.canParse(targetUrl.value) ? new URL(targetUrl.value) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const advice = 'write the whole URL, with https:// (or http://) before it'
    remark({ place: targetUrl.place, problem: 'is no URL that can be called', advice, isLoss: true })
    return null
  }
  const refused = refusedHost(config, url)
  if (refused !== null) {
    const advice = 'nothing, if it is to stay so; else add the host to authorized_domains and import again'
    remark({ place: targetUrl.place, problem: refused, advice, isLoss: false })
    return null
  }
  const planned = planHeaders({ place, headers, url, isSigned: config.secret !== null }, remark)
  if (planned === null) return null
  url.username = ''
  url.password = ''
  // Only what had to be changed is written anew.
  const isChanged = planned.fromUrl
  return { ...planned, url: isChanged ? url.href : targetUrl.value, topic, place }
}

function topicIsWrong(topic: string): Omit<Remark, 'place'> | null {
  if (topic === '*') return null
  if (topic.includes('*')) {
    return {
      problem:
        'has a * that pyfly takes for a letter, so no event matches it, while a pattern would match here',
      advice: 'write the event types out, or import without it and subscribe the endpoint to a pattern',
      isLoss: false,
    }
  }
  const problem = isOperationalTopic(topic) ? 'is a topic of Outhook’s own events' : topicProblem(topic)
  if (problem === null) return null
  return { problem, advice: 'give the event another type, in pyfly first, and import again', isLoss: true }
}

function planRetries({ maxAttempts, backoffMs }: CallbackConfig, remark: Remarks): RetryPolicy {
  const { delays, retryOn } = retryProfiles.pyfly
  const attempts = Math.min(Math.max(maxAttempts.value, 1), 100)
  if (maxAttempts.value > 100) {
    const advice = 'nothing; whatever is given up can be replayed'
    remark({ place: maxAttempts.place, problem: 'is more than 100, which it becomes', advice, isLoss: false })
  }
  if (maxAttempts.value === 0) {
    const problem = 'is 0, with which pyfly sends nothing: the subscriptions are made, but not active'
    const advice = 'enable them with "outhook subscriptions enable" if that was a mistake'
    remark({ place: maxAttempts.place, problem, advice, isLoss: false })
  }
  const base = Math.min(backoffMs.value, delays.capMs)
  if (attempts === callbackDefaults.maxAttempts && base === callbackDefaults.backoffMs) return 'pyfly'
  const rules = { maxAttempts: attempts, jitter: 'none', retryOn: retryOn.include } as const
  if (base === 0) return { ...rules, delays: [0] }
  return { ...rules, base, factor: 2, cap: delays.capMs }
}

/** Stays the same while id and URL do, so that another import finds what this one made. */
function uidOf(configId: string, url: string, taken: Set<string>): string {
  const digest = createHash('sha256').update(url).digest('hex').slice(0, 12)
  const first = `pyfly:${configId}:${digest}`
  let uid = first
  for (let number = 2; taken.has(uid); number++) uid = `${first}:${number}`
  taken.add(uid)
  return uid
}

function descriptionOf({ id, name }: CallbackConfig): string {
  return (name || `pyfly callback config ${id}`).replace(/\p{Cc}/gu, ' ').slice(0, 200)
}

/** One credential for each secret of a config, called as the first endpoint that needs it, for the hosts that it went to. */
class CredentialNames {
  readonly #description: string
  readonly #needed = new Map<string, NeededCredential>()

  constructor(config: CallbackConfig) {
    this.#description = descriptionOf(config)
  }

  nameOf(
    content: CredentialContent,
    { uid, url, place }: Pick<PlannedEndpoint, 'uid' | 'url' | 'place'>,
  ): string {
    const key = JSON.stringify(content)
    const needed = this.#needed.get(key) ?? { name: uid, place, content, hosts: new Set() }
    this.#needed.set(key, needed)
    needed.hosts.add(hostOf(new URL(url)))
    return needed.name
  }

  get planned(): readonly PlannedCredential[] {
    return [...this.#needed.values()].map(({ name, place, content, hosts }) => {
      const authorizedHosts = hosts.size > maxAuthorizedHosts ? null : [...hosts]
      return { place, body: { name, description: this.#description, ...content, authorizedHosts } }
    })
  }
}

interface NeededCredential {
  readonly name: string
  readonly place: Place
  readonly content: CredentialContent
  readonly hosts: Set<string>
}
