/** What a part needs of a server's HTTP API before it begins. */

export const adminToken = 'hkadm_for_the_benchmark_only_0123456789'

export async function makeProducerKey(serverUrl: string): Promise<string> {
  const { key } = await create<{ readonly key: string }>(`${serverUrl}/v1/keys`, { name: 'bench' })
  return key
}

export async function addEndpoint(serverUrl: string, endpoint: { url: string; topics: string[] }) {
  await create(`${serverUrl}/v1/endpoints`, endpoint)
}

async function create<Made>(url: string, body: unknown): Promise<Made> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`POST ${url} was answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Made
}
