// What runs inside the page. Types are in in-page.d.mts: the tests are checked without the names of the browser.

/** Before all scripts of the page. */
export function reportViolations() {
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
    globalThis.reportViolation(`${violatedDirective} ${blockedURI} ${sourceFile}`)
  })
}

/** Before all scripts of the page: what moves, and what begins to. */
export function recordMotion() {
  globalThis.motion = []
  for (const kind of ['animationstart', 'transitionrun']) {
    document.addEventListener(kind, ({ target, animationName, propertyName }) => {
      globalThis.motion.push(`${animationName ?? propertyName} of ${target.outerHTML.slice(0, 160)}`)
    })
  }
}

export function readMotion() {
  return globalThis.motion
}

/** How far the page itself can be scrolled sideways, in pixels, and what sticks out. */
export function findSidewaysScroll() {
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth <= clientWidth) return []
  const out = [...document.querySelectorAll('body *')].filter(
    (one) => one.getBoundingClientRect().right > clientWidth + 0.5,
  )
  return [`${scrollWidth} > ${clientWidth}`, ...out.slice(0, 5).map((one) => one.outerHTML.slice(0, 160))]
}

/** Whatever still moves for somebody who has asked for less motion. */
export function findMovingParts() {
  const seconds = (list) => Math.max(...list.split(',').map((one) => Number.parseFloat(one) || 0))
  return [...document.querySelectorAll('body *')]
    .filter((one) => {
      const style = getComputedStyle(one)
      const isAnimated = style.animationName !== 'none' && seconds(style.animationDuration) > 0.05
      return isAnimated || seconds(style.transitionDuration) > 0.05
    })
    .map((one) => one.outerHTML.slice(0, 160))
}

/** Marks what the keyboard has to reach, and begins at the top. */
export function markControls() {
  document.activeElement?.blur()
  scrollTo(0, 0)
  const controls =
    'a[href], button, input, select, textarea, summary, [role="button"], [role="tab"], [role="switch"], [role="menuitem"], [contenteditable="true"], [tabindex="0"]'
  for (const one of document.querySelectorAll(controls)) {
    const isOff = one.matches(':disabled, [tabindex="-1"]') || one.closest('[inert]') !== null
    // The one radio button of a group that is chosen stands for the others, which the arrows reach.
    const isOtherRadio = one.type === 'radio' && !one.checked
    const isShown = one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })
    if (!isOff && !isOtherRadio && isShown) one.dataset.unreached = ''
  }
}

/** Takes the mark from what has the focus. "end": nothing has it; "seen": it shows that it has. */
export function unmarkFocused() {
  const one = document.activeElement
  if (one === null || one === document.body) return 'end'
  delete one.dataset.unreached
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one)
  const isSeen = (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none'
  return isSeen ? 'seen' : one.outerHTML.slice(0, 160)
}

export function findUnreached() {
  return [...document.querySelectorAll('[data-unreached]')].map((one) => one.outerHTML.slice(0, 160))
}

/** All that a page could keep something in. */
export function readKept() {
  const { cookie, documentElement } = document
  const kept = [{ ...localStorage }, { ...sessionStorage }, cookie, location.href, documentElement.outerHTML]
  return JSON.stringify([...kept, history.state])
}

/** To another page of the dashboard, without loading it anew. */
export function goTo(url) {
  history.pushState({ isFromHere: true }, '', url)
  dispatchEvent(new PopStateEvent('popstate'))
}

/** When nothing is being loaded and nothing has changed for a while. */
export function settled() {
  return new Promise((resolve) => {
    let last = performance.now()
    const observer = new MutationObserver(() => {
      last = performance.now()
    })
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
    const timer = setInterval(() => {
      if (performance.now() - last < 150 || document.querySelector('[aria-busy="true"]') !== null) return
      observer.disconnect()
      clearInterval(timer)
      resolve()
    }, 30)
  })
}

/** What stands behind a summary is shown. */
export function unfold() {
  for (const one of document.querySelectorAll('details')) one.open = true
}

/** What is read, and what stands in fields. */
export function readText() {
  const fields = [...document.querySelectorAll('input, textarea')].map((one) => one.value)
  return [document.body.innerText, ...fields].join('\n')
}

/** What no page of the dashboard has, and what a text that was taken for HTML would bring in. */
export function findForeignElements() {
  const foreign =
    'iframe, object, embed, base, meta[http-equiv], marquee, audio, video, math, style, template, .planted, script:not([src])'
  const leads = ['href', 'src', 'action', 'formaction', 'data', 'xlink:href', 'poster']
  // A title or the value of a field may be such a text.
  const runs = ({ name, value }) =>
    name.startsWith('on') ||
    name === 'srcdoc' ||
    (leads.includes(name) && /^\s*(?:javascript|data|vbscript):/i.test(value))
  const handlers = [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(runs))
  return [...document.querySelectorAll(foreign), ...handlers].map((one) => one.outerHTML.slice(0, 160))
}
