export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: string
}

/** The files of the web page. */
export interface Assets {
  /** The file at an address such as `/web/status.css`, or undefined. Knows exact names only. */
  find(path: string): Promise<Asset | undefined>
}
