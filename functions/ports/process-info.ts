/** What the runtime knows of itself. */
export interface ProcessInfo {
  /** Memory of the edge in bytes; 0 where the runtime does not tell. */
  memoryBytes(): number
}
