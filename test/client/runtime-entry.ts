/** What a runtime other than this one runs, bundled: both packages' cases, and then their results go to `report`. */
import { runCases, type Setting } from './cases.ts'
import { runVerifyCases } from './verify-cases.ts'

export interface RuntimeSetting extends Setting {
  /** Where the results are posted to. */
  readonly report: string
}

export async function runAll(setting: RuntimeSetting): Promise<void> {
  let body: string
  try {
    body = JSON.stringify({ client: await runCases(setting), verify: await runVerifyCases() })
  } catch (error) {
    body = JSON.stringify({ failed: String((error as Error).stack) })
  }
  await fetch(setting.report, { method: 'POST', body })
}
