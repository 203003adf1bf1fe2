/** A key or its file that cannot be used. The message is for the person, and says what to do where that is known. */
export class KeyFileError extends Error {
  override readonly name: string = 'KeyFileError'
}

/** What is wrong is the passphrase and not the file. */
export class PassphraseError extends KeyFileError {
  override readonly name: string = 'PassphraseError'
}

/** The file is encrypted, and no passphrase was given. */
export class PassphraseNeeded extends PassphraseError {
  override readonly name = 'PassphraseNeeded'
  constructor() {
    super('This key is encrypted. Enter its passphrase')
  }
}
