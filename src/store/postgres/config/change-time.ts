import { type Context, command, now, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'

/** When an object is changed: later than the change before, so that each leaves another version of it. */
export const changeTime = `greatest(${now}, updated_at + 1)`

/** Of an endpoint whose own subscription has changed, which it shows as its topics. */
export async function touchEndpoint(context: Context, endpoint: Uint8Array): Promise<void> {
  await run(context, touchEndpointStatement, { endpoint: uuid(endpoint) })
}

const touchEndpointStatement = command(
  'touch_endpoint',
  { endpoint: 'uuid' },
  // primary key
  `update endpoints set updated_at = ${changeTime} where id = $endpoint`,
)
