/** The address of an endpoint whose URL is a secret, such as a Discord webhook's: what it is sealed with besides the key. */
export function urlContext(endpointId: string): string {
  return `${endpointId} url`
}
