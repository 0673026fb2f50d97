/** The dashboard begins here. It talks to the server through its client only, and to nobody else. */
import { render } from 'preact'
import { App } from './app.tsx'
import './style.css'

const place = document.getElementById('dashboard')
if (place !== null) render(<App />, place)
