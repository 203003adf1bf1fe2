// One key that the person wants kept in this browser. It was imported so that it can sign and cannot be exported: whoever
// gets at this store can use it here, and take it nowhere.

const DATABASE = 'millwright'
const STORE = 'keys'
const NAME = 'sign-in'

/** @typedef {{ key: CryptoKey, fingerprint: string }} KeptKey */

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>}
 */
function inStore(mode, work) {
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

/** @param {KeptKey} kept */
export const keepKey = (kept) => inStore('readwrite', (store) => store.put(kept, NAME))

/** @returns {Promise<KeptKey | undefined>} undefined as well where this browser keeps nothing at all */
export const keptKey = () => inStore('readonly', (store) => store.get(NAME)).catch(() => undefined)

export const forgetKey = () => inStore('readwrite', (store) => store.delete(NAME))
