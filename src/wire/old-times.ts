/**
 * Times before 1970 as they were written once: not below 0 as a number of its own, but as the one wrong character that the
 * fast writer made of it (`"ts":)`), or with a minus sign. The lines are whole otherwise, and what they say was sent, so they
 * are read as of 1970. They stay as they are: their bytes are the history.
 */

/** Between a name, which holds no quote that is not escaped, and the payload. */
const OLD_TIME = /,"ts":(?:-[0-9]+|['()*+,./-]),"payload":/g;

/** The JSON as it should have been written; null where nothing of this kind is wrong. */
export function withoutOldTimes(json: string): string | null {
  const mended = json.replace(OLD_TIME, ',"ts":0,"payload":');
  return mended === json ? null : mended;
}
