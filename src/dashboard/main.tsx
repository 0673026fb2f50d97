/** The dashboard begins here. It talks to the server through its client only, and to nobody else. */
import { render } from 'preact'
import { App } from './app.tsx'
import { watchAddress } from './kit/address.ts'
import './style.css'

watchAddress()
const place = document.getElementById('dashboard')
if (place !== null) render(<App />, place)
