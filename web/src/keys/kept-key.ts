// One key that the person wants kept in this browser, for the page on which programs are let in. It was imported so that
// it can sign and cannot be exported: whoever gets at this store can use it here, and take it nowhere.

import type { PrivateKey } from './private-key.ts'

const DATABASE = 'millwright'
const STORE = 'keys'
const NAME = 'sign-in'

export interface KeptKey {
  readonly key: PrivateKey['signing']
  readonly fingerprint: string
}

function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode)
      const request = work(transaction.objectStore(STORE))
      transaction.oncomplete = () => {
        opening.result.close()
        resolve(request.result)
      }
      transaction.onabort = () => reject(transaction.error)
    }
  })
}

export const keepKey = (kept: KeptKey) => inStore('readwrite', (store) => store.put(kept, NAME))

/** undefined as well where this browser keeps nothing at all. */
export const keptKey = (): Promise<KeptKey | undefined> =>
  inStore('readonly', (store) => store.get(NAME)).catch(() => undefined)

export const forgetKey = () => inStore('readwrite', (store) => store.delete(NAME))
