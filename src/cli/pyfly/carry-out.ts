/**
 * Makes what a plan says on a server, one thing after the other, each by its uid or name: what is there already is
 * brought to what the file says. So an import that broke off is taken up by running it again.
 */
import type { Client } from '../../client/client.ts'
import { ApiError } from '../../client/errors.ts'
import type { Credential, Subscription, Tenant } from '../../client/generated/types.ts'
import { isInDomain, parseDomain } from '../../core/domains.ts'
import type {
  ImportPlan,
  PlannedCredential,
  PlannedEndpoint,
  PlannedSubscription,
  PlannedTenant,
  Remark,
} from './import-plan.ts'

export interface Made {
  readonly kind: 'tenant' | 'credential' | 'endpoint' | 'subscription'
  /** Its uid, its name, or the topic of a subscription. */
  readonly name: string
  /** Null: it is not there yet, because this is a dry run. */
  readonly id: string | null
  readonly result: 'created' | 'updated'
  readonly tenant: string
}

export interface CarriedOut {
  readonly made: readonly Made[]
  readonly remarks: readonly Remark[]
}

interface CarryOutOptions {
  /** Only looks what is there already. */
  readonly dryRun: boolean
  /** Of configs that name none: id or uid. */
  readonly ownTenant: string
  onMade(made: Made): void
}

export async function carryOut(
  client: Client,
  plan: ImportPlan,
  options: CarryOutOptions,
): Promise<CarriedOut> {
  const made: Made[] = []
  const remarks: Remark[] = []
  for (const tenant of plan.tenants) {
    const carrier = new TenantImport(client, tenant, {
      ...options,
      onMade(one) {
        made.push(one)
        options.onMade(one)
      },
      remark: (one) => void remarks.push(one),
    })
    await carrier.run()
  }
  return { made, remarks }
}

type TenantOptions = CarryOutOptions & { remark(remark: Remark): void }

class TenantImport {
  readonly #client: Client
  readonly #plan: PlannedTenant
  readonly #options: TenantOptions
  readonly #call: { readonly tenant: string }
  /** By name; null in a dry run, where they are not made. */
  readonly #credentials = new Map<string, string | null>()

  constructor(client: Client, plan: PlannedTenant, options: TenantOptions) {
    this.#client = client
    this.#plan = plan
    this.#options = options
    this.#call = { tenant: plan.uid ?? options.ownTenant }
  }

  async run(): Promise<void> {
    let isThere: boolean | null = null
    await this.#each(this.#plan, async () => {
      isThere = await this.#tenant()
    })
    // Refused, which is told: then it can have nothing.
    if (isThere === null) return
    await this.#everythingOf(isThere)
  }

  async #everythingOf(isThere: boolean): Promise<void> {
    for (const credential of this.#plan.credentials) {
      await this.#each(credential, () => this.#credential(credential, isThere))
    }
    for (const endpoint of this.#plan.endpoints) {
      await this.#each(endpoint, () => this.#endpoint(endpoint, isThere))
    }
  }

  /** What the server refuses of one thing is told, and the others are made all the same. */
  async #each({ place }: { readonly place: Remark['place'] }, make: () => Promise<void>): Promise<void> {
    try {
      await make()
    } catch (error) {
      if (!(error instanceof ApiError) || ![400, 409, 413, 422].includes(error.status)) throw error
      const advice = 'see to that, and run the same command again'
      this.#options.remark({ place, problem: `was refused: ${error.detail}`, advice, isLoss: true })
    }
  }

  /** Whether there is one, which in a dry run there may not be. */
  async #tenant(): Promise<boolean> {
    const { uid, authorizedDomains: wanted } = this.#plan
    // Whoever may use one tenant alone can import into that.
    if (uid === null && wanted.length === 0) return true
    const known = await this.#findTenant()
    const authorizedDomains = await this.#domains(known)
    const settings = authorizedDomains === null ? undefined : { authorizedDomains }
    const { dryRun } = this.#options
    let id = known?.id ?? null
    if (known === null && !dryRun) id = (await this.#client.tenants.create({ uid, settings })).id
    if (known !== null && settings !== undefined && !dryRun) {
      await this.#client.tenants.update(known.id, { settings })
    }
    if (known === null || settings !== undefined) this.#made('tenant', this.#call.tenant, id, known !== null)
    return id !== null
  }

  async #findTenant(): Promise<Tenant | null> {
    const { tenant } = this.#call
    if (this.#plan.uid === null && tenant.startsWith('ten_')) return this.#client.tenants.get(tenant)
    return (await this.#client.tenants.list({ uid: tenant })).items[0] ?? null
  }

  /** Null: they stay as they are. */
  async #domains(known: Tenant | null): Promise<readonly string[] | null> {
    const wanted = this.#plan.authorizedDomains
    if (wanted.length === 0) return null
    const before = known?.settings.authorizedDomains ?? []
    const all = [...new Set([...before, ...wanted])]
    if (all.length === before.length) return null
    if (known === null || before.length > 0) return all
    const stranger = await this.#strangerTo(all)
    if (stranger === null) return all
    const [place] = this.#plan.endpoints.map((endpoint) => endpoint.place)
    this.#options.remark({
      place: place ?? { path: 'authorized_domains', line: 1 },
      problem: `authorized_domains are not set for the tenant ${this.#call.tenant}: its endpoint ${stranger} goes elsewhere`,
      advice: `outhook tenants update ${this.#call.tenant} ${all.map((domain) => `--authorized-domain ${domain}`).join(' ')}`,
      isLoss: true,
    })
    return null
  }

  /** An endpoint that is there already, and that such a list would cut off. */
  async #strangerTo(domains: readonly string[]): Promise<string | null> {
    const isStrange = (url: string): boolean => {
      const host = URL.canParse(url) ? parseDomain(new URL(url).hostname) : null
      return host !== null && !domains.some((domain) => isInDomain(host, domain))
    }
    for await (const { id, urls } of this.#client.endpoints.list({ limit: 100 }, this.#call)) {
      if (urls.some(isStrange)) return id
    }
    return null
  }

  async #credential({ body }: PlannedCredential, isThere: boolean): Promise<void> {
    const { client, call } = this.#calls()
    const { name, kind, ...content } = body
    const [known] = isThere ? (await client.credentials.list({ name }, call)).items : []
    if (this.#options.dryRun) this.#credentials.set(name, known?.id ?? null)
    else if (known === undefined) {
      this.#credentials.set(name, (await client.credentials.create(body, call)).id)
    } else {
      // Before the change, because an endpoint that needs it must not be made without it.
      this.#credentials.set(name, known.id)
      const authorizedHosts = allHosts(known, body)
      if (known.kind === kind)
        await client.credentials.update(known.id, { ...content, authorizedHosts }, call)
      else await this.#replaceCredential(known.id, body)
    }
    this.#made('credential', name, this.#credentials.get(name) ?? null, known !== undefined)
  }

  /** The kind of a credential stays: another one takes its name, and its endpoints are given that one below. */
  async #replaceCredential(id: string, body: PlannedCredential['body']): Promise<void> {
    const { client, call } = this.#calls()
    await client.credentials.update(id, { name: `${body.name} (before)` }, call)
    this.#credentials.set(body.name, (await client.credentials.create(body, call)).id)
  }

  async #endpoint(planned: PlannedEndpoint, isThere: boolean): Promise<void> {
    const { client, call } = this.#calls()
    const { uid, url, description, secret, retryPolicy, credential } = planned
    const credentialId = credential === null ? null : this.#credentials.get(credential)
    if (credentialId === undefined) {
      const advice = 'see to the credential, and run the same command again'
      this.#options.remark({
        place: planned.place,
        problem: 'is not made without its credential',
        advice,
        isLoss: true,
      })
      return
    }
    const [known] = isThere ? (await client.endpoints.list({ uid }, call)).items : []
    if (this.#options.dryRun) {
      this.#made('endpoint', uid, known?.id ?? null, known !== undefined)
      await this.#subscriptions(planned, known?.id ?? null)
      return
    }
    const signingSchemes = [secret === null ? 'none' : 'pyfly'] as const
    const { settings: limits } = planned
    const settings = { uid, url, description, signingSchemes, retryPolicy, credentialId, ...limits }
    const wasUnsigned = known?.signingSchemes[0] === 'none'
    // Whoever verified nothing so far has no old secret that could sign for a while.
    const given = secret === null || wasUnsigned ? {} : { secret }
    const { id } = await client.endpoints.create({ ...settings, ...given }, call)
    if (secret !== null && wasUnsigned) await client.endpoints.rotateSecret(id, { secret, grace: 0 }, call)
    this.#made('endpoint', uid, id, known !== undefined)
    await this.#subscriptions(planned, id)
  }

  /** They have no uid: the same topics of the same endpoint are the same subscription. */
  async #subscriptions({ subscriptions }: PlannedEndpoint, endpointId: string | null): Promise<void> {
    const { client, call } = this.#calls()
    const left: Subscription[] = []
    if (endpointId !== null) {
      for await (const one of client.subscriptions.list({ endpointId, limit: 100 }, call)) left.push(one)
    }
    for (const planned of subscriptions) {
      const ofTopic = (one: Subscription) => one.topicPatterns.join() === planned.topic
      const exact = left.findIndex((one) => ofTopic(one) && hasHeaders(one, planned))
      const at = exact === -1 ? left.findIndex(ofTopic) : exact
      const known = at === -1 ? undefined : left.splice(at, 1)[0]
      await this.#each(planned, () => this.#subscription(planned, endpointId, known))
    }
  }

  async #subscription(
    planned: PlannedSubscription,
    endpointId: string | null,
    known: Subscription | undefined,
  ): Promise<void> {
    const { client, call } = this.#calls()
    const { topic, active, headers } = planned
    let id = known?.id ?? null
    if (!this.#options.dryRun && endpointId !== null) {
      const body = { endpointId, topicPatterns: [topic], active, headers }
      if (known === undefined) id = (await client.subscriptions.create(body, call)).id
      else if (known.active !== active || !hasHeaders(known, planned)) {
        await client.subscriptions.update(known.id, { active, headers }, call)
      }
    }
    this.#made('subscription', topic, id, known !== undefined)
  }

  #calls() {
    return { client: this.#client, call: this.#call }
  }

  #made(kind: Made['kind'], name: string, id: string | null, wasThere: boolean): void {
    const result = wasThere ? 'updated' : 'created'
    this.#options.onMade({ kind, name, id, result, tenant: this.#call.tenant })
  }
}

/** What somebody has opened since stays open. */
function allHosts(
  known: Credential,
  { authorizedHosts }: PlannedCredential['body'],
): readonly string[] | null {
  if (known.authorizedHosts === null || authorizedHosts === null || authorizedHosts === undefined) return null
  return [...new Set([...known.authorizedHosts, ...authorizedHosts])]
}

function hasHeaders({ headers }: Subscription, planned: PlannedSubscription): boolean {
  const names = Object.keys(planned.headers)
  return (
    names.length === Object.keys(headers).length &&
    names.every((name) => headers[name] === planned.headers[name])
  )
}
