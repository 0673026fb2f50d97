/** The portal begins here. The token leaves the address before anything else is done, and is kept in memory alone. */
import { render } from 'preact'
import { watchAddress } from '../kit/address.ts'
import { App } from './app.tsx'
import { applyTheme } from './apply-theme.ts'
import { chooseLocale } from './locales.ts'
import { readSettings } from './settings.ts'
import { takeToken } from './take-token.ts'
import { tellHeight } from './tell-height.ts'
import { readTheme } from './theme.ts'
import '../style.css'
import './portal.css'

const token = takeToken()
const query = new URLSearchParams(location.search)
const settings = readSettings()
const theme = readTheme(Object.fromEntries(query), settings.theme)
const { language, direction } = chooseLocale(query.get('lang'))
document.documentElement.lang = language
document.documentElement.dir = direction
applyTheme(theme, document.documentElement)
watchAddress()
tellHeight(settings.frameAncestors)
const place = document.getElementById('portal')
if (place !== null) render(<App token={token} theme={theme} />, place)
// Whoever opens another link in the same window begins anew with that one.
addEventListener('hashchange', () => {
  const other = takeToken()
  if (other !== null && place !== null) render(<App key={other} token={other} theme={theme} />, place)
})
