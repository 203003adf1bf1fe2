/** A program and its arguments; never a shell string. */
export type CommandLine = readonly [string, ...string[]]

/** A file as it is to be judged: in place of what the repository holds there, or new, in new folders too. */
export interface Candidate {
  /** Repository path, links resolved. */
  readonly path: string
  readonly text: string
}

export interface CommandRequest {
  readonly commandLine: CommandLine
  /** At most one for each path. None runs the command on the repository as it is. */
  readonly candidates: readonly Candidate[]
  /** Repository paths of folders that the command finds empty and may write to; gone afterwards. */
  readonly scratchFolders: readonly string[]
  readonly timeoutMs: number
  /**
   * Files for this command alone, by a path of their own: it finds them, read-only, below the folder that $MILLWRIGHT_GIVEN
   * names.
   */
  readonly given?: ReadonlyMap<string, GivenFile>
  /** Folders of this machine, absolute, that this command may read beside what every command may. */
  readonly shownFolders?: readonly string[]
  /**
   * In each argument this text stands for the path of an empty file that the command may write to (in place: it cannot be
   * moved or removed). A text that no path holds. Without it there is no such file.
   */
  readonly reportAs?: string
}

export interface GivenFile {
  readonly bytes: Uint8Array
  readonly isExecutable?: boolean
}

/** Of a report; what is longer is not read. 20,000 tests with their failures take less. */
export const REPORT_BYTES_MAX = 16 * 1024 * 1024

/** What a command wrote to its report, also where it was stopped. Not cut, and not cleaned of anything. */
export interface CommandReport {
  readonly bytes: number
  /** Null where it is longer than REPORT_BYTES_MAX. */
  readonly text: string | null
}

export type CommandLimit = 'time' | 'output' | 'memory' | 'processes'

export type CommandOutcome = {
  /** Standard output and standard error, cut in the middle, as plain text with repository paths. */
  readonly output: string
  /** The same without the cut, to be compared with another run's; null where it was too long for that. */
  readonly whole: string | null
  /** Null where none was asked for. */
  readonly report: CommandReport | null
  /** The top folder of the repository as the command saw it, absolute: what its report may name. */
  readonly root: string
  /** From its start to the end of its last output; the wait for a turn is not in it. */
  readonly durationMs: number
} & (
  | { readonly kind: 'ended'; readonly status: number }
  /** It was killed with all that it had started. `limit` says in words what it went beyond. */
  | { readonly kind: 'stopped'; readonly why: CommandLimit; readonly limit: string }
)

/**
 * Runs the commands of the repository's configuration on a text that is not in the repository yet. The repository itself
 * is not changed, whatever a command does. Of several at once some wait; the wait does not count as the command's time.
 */
export interface CommandRunner {
  /** False where commands run with all the rights of this process, because the operator said so. */
  readonly isSandboxed: boolean
  /** Why such a command cannot run here, and what the operator has to do about it; null where it can. */
  obstacle(commandLine: CommandLine): Promise<string | null>
  /**
   * Resolves whatever the command does, once no process of it is left. Rejects with AppError: `cancelled` when the signal is
   * aborted, `unavailable` where it could not be started.
   */
  run(request: CommandRequest, signal?: AbortSignal): Promise<CommandOutcome>
}
