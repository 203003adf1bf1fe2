export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: string
  /** The same bytes made smaller, where that was done beforehand. */
  readonly compressed?: Readonly<Partial<Record<'br' | 'gzip', Uint8Array<ArrayBuffer>>>>
}

/** The files of the web page. */
export interface Assets {
  /**
   * The file at an address such as `/web/index.html` or `/web/assets/index-1a2b3c4d.js`, or undefined. Knows exact names
   * only. What lies below `/web/assets/` has a hash in its name, so that its bytes never change.
   */
  find(path: string): Promise<Asset | undefined>
}
