/**
 * Reads lines in forms that older versions wrote. Otherwise these lines are whole, and their messages were sent, so
 * they are read as they were meant. Their bytes are the history, and stay as they are.
 *
 * - Times before 1970 were written as one wrong character by the fast writer (`"ts":)`), or with a minus sign. They are
 *   read as of 1970.
 * - Half a character (a lone surrogate) was written as an escape in names and texts. It is read as U+FFFD.
 */

/** The time as it stands between the name, in which every quote is escaped, and the payload. */
const OLD_TIME = /,"ts":(?:-[0-9]+|['()*+,./-]),"payload":/g;
/** An escape: a backslash together with what it escapes. */
const ESCAPE = /\\(?:u[0-9a-f]{4}|.)/gi;
const SURROGATE = /^\\ud[89a-f]/i;

/** The JSON as it should have been written; null where nothing of this kind is wrong. */
export function mendOldLine(json: string): string | null {
  const mended = json
    .replace(OLD_TIME, ',"ts":0,"payload":')
    .replace(ESCAPE, (escaped) => (SURROGATE.test(escaped) ? "\ufffd" : escaped));
  return mended === json ? null : mended;
}
