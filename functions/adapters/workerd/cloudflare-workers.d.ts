// The runtime's own module, as far as we use it.
declare module 'cloudflare:workers' {
  /** What a class must extend for its methods to be called from other objects and requests. */
  export abstract class DurableObject<Environment> {
    protected readonly ctx: import('./runtime.ts').ObjectState
    protected readonly env: Environment
    constructor(ctx: import('./runtime.ts').ObjectState, env: Environment)
  }
  /** What a class must extend for its instances to be handed out by reference. */
  export abstract class RpcTarget {}
  /** Of the request under way; in an object without effect, since that lives on by itself. */
  export function waitUntil(promise: Promise<unknown>): void
}

/** Both halves of a WebSocket: the first is the answer's, the second ours. */
declare const WebSocketPair: new () => { readonly 0: object; readonly 1: import('./runtime.ts').ServerSocket }
