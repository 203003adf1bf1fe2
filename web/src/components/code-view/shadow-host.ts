/**
 * Where an editor may live: in a shadow root its styles are sheets of their own, which the page's policy lets through; in
 * the page itself they would be `style` elements, which it refuses.
 */
export function openShadow(host: HTMLElement): ShadowRoot {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  shadow.replaceChildren()
  return shadow
}
