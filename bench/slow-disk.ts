/**
 * A disk whose syncs take longer, without a slow disk and without root: every `sync` of the Disk port's files tells so
 * much later that it is done. Writes stay as fast as they are, as on a machine whose page cache takes them.
 */
import { openDisk } from "../src/adapters/disk.ts";
import type { File } from "../src/host/contracts.ts";

let delayMs = 0;
let wrapped = false;

/** From now on, for all files of this process; 0: as fast as they are. */
export function slowSync(ms: number): void {
  delayMs = ms;
  if (wrapped) return;
  wrapped = true;
  const file = openDisk("/dev").open("null", "read");
  const files = Object.getPrototypeOf(file) as File;
  file.close();
  const { sync, close } = files;
  const closed = new WeakSet<File>();
  files.close = function (this: File) {
    closed.add(this);
    close.call(this);
  };
  files.sync = function (this: File, done) {
    if (delayMs === 0) return sync.call(this, done);
    // The port says: no callback behind `close`.
    sync.call(this, (error) => setTimeout(() => closed.has(this) || done(error), delayMs));
  };
}
