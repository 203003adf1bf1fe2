/** Names of the machine itself, as a `Host` header or an address has them: no ports; IPv6 in brackets. */
export const loopbackHostnames: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** Whether a `Host` header names the machine itself, with any port or none. */
export const isLoopbackAddress = (host: string): boolean =>
  loopbackHostnames.includes(host.toLowerCase().replace(/:\d{1,5}$/, ''))
