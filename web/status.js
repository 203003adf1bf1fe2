// Shows whether the endpoint is well. Holds no secret and asks for none: /healthz is open.

const AGAIN_MS = 5000

/** @param {string} id */
const byId = (id) => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no element "${id}"`)
  return element
}

/**
 * @param {'ok' | 'failing'} state
 * @param {string} text
 */
function show(state, text) {
  const status = byId('status')
  status.dataset.state = state
  // Written only when it changes: a screen reader reads out each change.
  if (status.textContent !== text) status.textContent = text
}

async function look() {
  try {
    const response = await fetch('/healthz', { cache: 'no-store' })
    const health = await response.json()
    if (!health.registry) show('failing', 'The registry cannot be read: see the log of the start')
    else if (!health.nats) show('failing', 'Running, but not connected to NATS: no worker can be reached')
    else show('ok', `Running, version ${health.version}`)
  } catch {
    show('failing', 'The endpoint does not answer: is it still running?')
  }
  setTimeout(look, AGAIN_MS)
}

const endpoint = new URL('/mcp', location.href).href
byId('endpoint').textContent = endpoint
byId('command').textContent =
  `claude mcp add --transport http millwright ${endpoint} --header "Authorization: Bearer TOKEN"`
await look()
