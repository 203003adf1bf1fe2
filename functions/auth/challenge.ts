import { createSecret, isEqualText, sha256Hex, toBase64Url } from '../crypto.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import { signInRefusal } from './refusal.ts'

/** What a signature is good for. One that was made for the one is refused for the other. */
export type ChallengePurpose = 'session' | 'authorize'

export interface Challenge {
  /** The text to sign, byte for byte. */
  readonly text: string
  readonly expires_at: number
}

/** What a challenge that is ours, in time and unused says. */
export interface SpentChallenge {
  readonly fingerprint: string
  /** What it was bound to beside; see `ChallengeRequest`. */
  readonly about: string
}

export interface ChallengeRequest {
  readonly origin: string
  readonly purpose: ChallengePurpose
  readonly fingerprint: string
  /** What is asked for, as lines for a person; empty where the purpose says it all. No control characters but line ends. */
  readonly about: string
}

/** A person may have to find the key file first. */
const LIFETIME_MS = 3 * 60_000
/** How far the server's own clock may go back between a challenge and its answer. */
const CLOCK_STEP_MS = 5000

const FORM =
  /^Millwright sign-in, version 1\norigin: (?<origin>[\x21-\x7e]{1,300})\npurpose: (?<purpose>session|authorize)\nkey: (?<key>SHA256:[A-Za-z0-9_-]{43})\nissued: (?<issued>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\nnonce: (?<nonce>[A-Za-z0-9_-]{43})\n(?<about>(?:[^\x00-\x1f\x7f]{1,2100}\n){0,8})seal: (?<seal>[A-Za-z0-9_-]{43})$/

export interface Challenges {
  /** A text for one key, one purpose and one use. Looks nothing up, so it tells nothing about the key. */
  create(request: ChallengeRequest): Promise<Challenge>
  /**
   * Uses a challenge up, whatever its signature is worth, and says for which key it was. Rejects with `unauthenticated` and a
   * reason: not made here or changed since, for another origin or purpose, too old, from the future, used before.
   */
  spend(
    text: string,
    expected: { readonly origin: string; readonly purpose: ChallengePurpose },
  ): Promise<SpentChallenge>
}

/**
 * Challenges without a list of them: each carries a seal that only this installation can make, so that asking for
 * thousands fills no memory and pushes nobody else's out. Only those that come back are kept, until they are too old.
 */
export function createChallenges(accounts: Pick<Accounts, 'secret' | 'spendOnce'>, clock: Clock): Challenges {
  // The key and not the wait for it: where a request that has ended takes its waits with it, others would wait for ever.
  let key: SealKey | undefined
  const sealKey = async (): Promise<SealKey> => {
    key ??= await importSealKey(accounts)
    return key
  }
  const seal = async (body: string): Promise<string> =>
    toBase64Url(new Uint8Array(await crypto.subtle.sign('HMAC', await sealKey(), new TextEncoder().encode(body))))

  return {
    async create({ origin, purpose, fingerprint, about }) {
      const now = clock.now()
      const body = [
        'Millwright sign-in, version 1',
        `origin: ${origin}`,
        `purpose: ${purpose}`,
        `key: ${fingerprint}`,
        `issued: ${new Date(now).toISOString()}`,
        `nonce: ${createSecret()}`,
        about,
      ].join('\n')
      return { text: `${body}seal: ${await seal(body)}`, expires_at: now + LIFETIME_MS }
    },

    async spend(text, expected) {
      const groups = FORM.exec(text)?.groups
      if (groups === undefined) throw refused('challenge_not_ours', 'it is no challenge of this server')
      const {
        origin,
        purpose,
        key: fingerprint = '',
        issued = '',
        nonce = '',
        about = '',
        seal: presented = '',
      } = groups
      if (!isEqualText(presented, await seal(text.slice(0, text.lastIndexOf('seal: '))))) {
        throw refused('challenge_not_ours', 'this server did not make it, or it was changed')
      }
      if (origin !== expected.origin) {
        throw refused('wrong_origin', `it was made for ${origin}, and this is ${expected.origin}`)
      }
      if (purpose !== expected.purpose) throw refused('wrong_purpose', 'it was made for another purpose')
      const age = clock.now() - Date.parse(issued)
      if (age < -CLOCK_STEP_MS) throw refused('clock', "the server's clock has gone back since it was made")
      if (age > LIFETIME_MS) throw refused('challenge_expired', `it is older than ${LIFETIME_MS / 60_000} minutes`)
      // Kept past its age, so that a clock that goes back does not open it again.
      if (!(await accounts.spendOnce(await sha256Hex(`challenge ${nonce}`), clock.now() + 10 * LIFETIME_MS))) {
        throw refused('challenge_used', 'it has been used')
      }
      return { fingerprint, about }
    },
  }
}

type SealKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

async function importSealKey(accounts: Pick<Accounts, 'secret'>): Promise<SealKey> {
  const bytes = new TextEncoder().encode(await accounts.secret('challenge-seal'))
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

const refused = (
  reason: 'challenge_not_ours' | 'wrong_origin' | 'wrong_purpose' | 'clock' | 'challenge_expired' | 'challenge_used',
  why: string,
) =>
  signInRefusal(
    'unauthenticated',
    reason,
    `Cannot take the signed challenge: ${why}`,
    'Ask for a new challenge and sign that',
  )
