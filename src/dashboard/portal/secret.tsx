/** The secret that signs, for those who may see it, and how a receiver verifies with it. */
import { useState } from 'preact/hooks'
import type { Endpoint } from '../../client/index.ts'
import { formatMoment, t } from './locales.ts'
import { Act, Code, Part } from './parts.tsx'
import { useAsk, useSession } from './session.tsx'
import { Verify } from './verify.tsx'

export function Secret({ endpoint }: { readonly endpoint: Endpoint }) {
  const { can } = useSession()
  const [secret, setSecret] = useState<string | null>(null)
  if (endpoint.kind !== 'http' || endpoint.signingSchemes.includes('none')) return null
  return (
    <>
      {can('reveal_secret') && (
        <Part title={t('secret')}>
          <p class="hint">{t('secretHint')}</p>
          {secret === null ? (
            <Reveal endpoint={endpoint} onSecret={setSecret} />
          ) : (
            <>
              <Code label={t('secret')} text={secret} />
              <p class="hint">{t('secretNow')}</p>
              <button type="button" onClick={() => setSecret(null)}>
                {t('hide')}
              </button>
            </>
          )}
          {can('manage_endpoints') && <Rotate endpoint={endpoint} onSecret={setSecret} />}
        </Part>
      )}
      {endpoint.signingSchemes.includes('standard') && <Verify secret={secret} />}
    </>
  )
}

interface OwnProps {
  readonly endpoint: Endpoint
  readonly onSecret: (secret: string) => void
}

function Reveal({ endpoint: { id }, onSecret }: OwnProps) {
  const { server } = useSession()
  const reveal = async () => {
    const { items } = await server.endpoints.listSecrets(id)
    const [newest] = items
    if (newest === undefined) return undefined
    onSecret((await server.endpoints.revealSecret(id, newest.id)).secret)
    return undefined
  }
  return <Act act={reveal}>{t('reveal')}</Act>
}

function Rotate({ endpoint: { id }, onSecret }: OwnProps) {
  const { server } = useSession()
  const [isAsking, setAsking] = useState(false)
  const secrets = useAsk(`secrets of ${id}`, (asked) => asked.endpoints.listSecrets(id))
  const rotate = async () => {
    const { secret } = await server.endpoints.rotateSecret(id)
    setAsking(false)
    onSecret(secret)
    secrets.again()
    return undefined
  }
  const ending = secrets.value?.items.find(({ expiresAt }) => expiresAt !== null)?.expiresAt ?? null
  return (
    <>
      {ending !== null && <p class="hint">{t('secretUntil', { time: formatMoment(ending) })}</p>}
      {isAsking ? (
        <span role="alertdialog" aria-label={t('rotate')} class="ask">
          {t('rotateAsk')} <Act act={rotate}>{t('rotate')}</Act>
          <button type="button" onClick={() => setAsking(false)}>
            {t('cancel')}
          </button>
        </span>
      ) : (
        <button type="button" onClick={() => setAsking(true)}>
          {t('rotate')}
        </button>
      )}
    </>
  )
}
