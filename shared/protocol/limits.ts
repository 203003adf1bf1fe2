/** Sizes and times that both ends of the wire must agree on. Each line says where its number comes from. */

/** A file that tools read or write. A text file over 1 MiB is data, not source, and JSON may expand it sixfold. */
export const FILE_BYTES_MAX = 1024 * 1024
/** `max_payload` of the NATS server that `npm start` runs: a file with every byte escaped (6x), and its envelope. */
export const NATS_PAYLOAD_BYTES_MAX = 8 * 1024 * 1024
/** What of it is left for a message beside the headers that prove where it comes from (`signature.ts`), rounded up. */
export const MESSAGE_BYTES_MAX = NATS_PAYLOAD_BYTES_MAX - 1024
/** HTTP body of one MCP request: the MCP SDK's own default. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024
/** Text of one answer: about 64,000 tokens, which is as much as clients show a model. */
export const ANSWER_BYTES_MAX = 256 * 1024
export const DIFF_BYTES_MAX = 64 * 1024
/** Longest path that Linux's PATH_MAX leaves room for behind a repository root. */
export const PATH_BYTES_MAX = 2048
export const PATH_SEGMENT_BYTES_MAX = 255
export const NAME_CHARACTERS_MAX = 200
export const DESCRIPTION_CHARACTERS_MAX = 2000
/** A stack trace and what led to it. A bug with every field full, each character escaped, is a tenth of a file. */
export const BUG_DESCRIPTION_CHARACTERS_MAX = 8000
export const SYSTEM_PROMPT_CHARACTERS_MAX = 20_000
export const CHAT_MESSAGE_CHARACTERS_MAX = 60_000
export const COMMIT_MESSAGE_CHARACTERS_MAX = 20_000
export const CONTEXT_FILES_MAX = 16
export const EDITS_MAX = 200
export const PAGE_MAX = 200
export const PAGE_DEFAULT = 50
export const LIST_FILES_PAGE_DEFAULT = 500
export const LIST_FILES_PAGE_MAX = 1000
export const SEARCH_MATCHES_MAX = 500
/** Agents of one workspace: ten times what the list is measured with. */
export const AGENTS_MAX = 100_000
/** Jobs that wait for one workspace before `busy` is answered. */
export const JOBS_QUEUED_MAX = 256
/** Short calls: longer than any file or git operation takes, shorter than any client waits. */
export const CALL_TIMEOUT_MS = 30_000
/** Clients cut silent calls at 60 s (the MCP SDK's default). */
export const WAIT_SECONDS_MAX = 50
export const WAIT_SECONDS_DEFAULT = 45
/** Twice a second: who watches an answer being written sees it grow, and a job's events stay few. */
export const PROGRESS_INTERVAL_MS = 500
/** Of an answer that is being written, what its watchers are shown: about ten lines, a kilobyte or two of each event. */
export const ANSWER_TAIL_CHARACTERS_MAX = 600
/** A job message that is not confirmed for this long is delivered again; the worker confirms three times as often. */
export const JOB_ACK_WAIT_MS = 15_000
/** A whole job: three rounds of a 7B model writing a long file on a CPU. */
export const JOB_DEADLINE_MS = 30 * 60_000
/** Of an agent's conversation, what comes whole with a job: several times what a model is shown of it. */
export const HISTORY_BYTES_MAX = 32 * 1024
/** A line limit that `millwright.json` may change. */
export const LINES_MAX_DEFAULT = 300
