import { AppError } from '#shared/errors.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { decodeText } from '../workspace/text.ts'
import { type CheckSettings, defaultSettings, parseSettings, SETTINGS_PATH } from './settings.ts'

export interface SettingsState {
  /** The defaults where the file is missing or wrong. */
  readonly settings: CheckSettings
  /** What is wrong with the file, naming the key; null where nothing is. */
  readonly fault: string | null
}

/** The repository's rules as they are now. Never rejects for what the file holds. */
export type SettingsSource = () => Promise<SettingsState>

/** Fifty patterns of 500 characters with their messages, escaped, fit in twice. */
const SETTINGS_BYTES_MAX = 128 * 1024

const unset: SettingsState = { settings: defaultSettings, fault: null }

/** What the settings say of a path that is to be written. The settings' own file can be mended while they are wrong. */
export function protectionOf(source: SettingsSource): (path: string) => Promise<'free' | 'protected' | 'unknown'> {
  return async (path) => {
    const { settings, fault } = await source()
    if (path === SETTINGS_PATH) return 'free'
    if (fault !== null) return 'unknown'
    return settings.protectedPaths(path) ? 'protected' : 'free'
  }
}

/** For checks outside a repository. */
export const defaultSettingsSource: SettingsSource = async () => unset

/** Reads `millwright.json` at each call, and parses it when its bytes have changed. */
export function createSettingsSource(files: FileTree): SettingsSource {
  let known: { readonly sha256: string; readonly state: SettingsState } | undefined
  return async () => {
    try {
      const { bytes, sha256 } = await files.read(SETTINGS_PATH, SETTINGS_BYTES_MAX)
      if (known?.sha256 !== sha256) known = { sha256, state: toState(bytes) }
      return known.state
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return error.code === 'not_found' ? unset : { settings: defaultSettings, fault: error.message }
    }
  }
}

function toState(bytes: Uint8Array): SettingsState {
  try {
    return { settings: parseSettings(decodeText(SETTINGS_PATH, bytes)), fault: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { settings: defaultSettings, fault: error.message }
  }
}
