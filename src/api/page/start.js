// What the page does with the files of Swagger UI, which stand beside this one.
const dark = matchMedia('(prefers-color-scheme: dark)')
// The top bar would do it, which this page leaves out.
const followColorScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', followColorScheme)
followColorScheme()

window.SwaggerUIBundle({
  // Beside the page, also where a proxy puts both under a path of its own.
  url: new URL('openapi.json', location.href).href,
  dom_id: '#swagger-ui',
  deepLinking: true,
  presets: [window.SwaggerUIBundle.presets.apis],
  // Without the top bar, whose logo has a style of its own that the page's policy refuses, and which offers to show
  // documents from elsewhere.
  layout: 'BaseLayout',
  // No outside service gets to see the document.
  validatorUrl: null,
})
