/**
 * Lines as they were written once and are not any more. They are whole otherwise, and what they say was sent, so they are
 * read as they were meant. They stay as they are: their bytes are the history.
 *
 * - Times before 1970 were not below 0 as a number of its own, but the one wrong character that the fast writer made of it
 *   (`"ts":)`), or had a minus sign. They are read as of 1970.
 * - Half a character (a lone surrogate) stood as an escape in names and texts. It is read as U+FFFD.
 */

/** Between a name, which holds no quote that is not escaped, and the payload. */
const OLD_TIME = /,"ts":(?:-[0-9]+|['()*+,./-]),"payload":/g;
/** A backslash is never looked at without what it escapes. */
const ESCAPE = /\\(?:u[0-9a-f]{4}|.)/gi;
const SURROGATE = /^\\ud[89a-f]/i;

/** The JSON as it should have been written; null where nothing of this kind is wrong. */
export function mendOldLine(json: string): string | null {
  const mended = json
    .replace(OLD_TIME, ',"ts":0,"payload":')
    .replace(ESCAPE, (escaped) => (SURROGATE.test(escaped) ? "\ufffd" : escaped));
  return mended === json ? null : mended;
}
