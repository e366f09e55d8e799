/**
 * A bounded pool that many share fairly. What a user offers waits until there is room, and the user that has had least
 * comes first. So a user that offers little waits only for what is in the pool already, however much the others offer.
 *
 * Start-time fair queueing (Goyal, Vin and Cheng 1996): a piece is tagged with the virtual time at which its turn would
 * begin if all who want something were served at once; the lowest tag goes next, and its tag is the time.
 */
interface Piece {
  readonly bytes: number;
  readonly start: number;
  readonly go: () => void;
}

interface Share {
  readonly waiting: Piece[];
  waitingBytes: number;
  underWayBytes: number;
  /** The virtual time at which its last piece ends. */
  finish: number;
}

export class Turns<Who> {
  #poolBytes: number;
  readonly #waitingBytesMax: number;
  readonly #shares = new Map<Who, Share>();
  #underWayBytes = 0;
  #time = 0;
  #pieces = 0;

  /** At most `poolBytes` may be under way in all, and at most `waitingBytesMax` of each user may wait. */
  constructor(poolBytes: number, waitingBytesMax: number) {
    this.#poolBytes = poolBytes;
    this.#waitingBytesMax = waitingBytesMax;
  }

  /** From now on so much may be under way in all. */
  set poolBytes(bytes: number) {
    this.#poolBytes = bytes;
  }

  /** Something waits for room. */
  get waits(): boolean {
    return this.#pieces > 0;
  }

  /**
   * `go` runs inside a later `pump`, in the order of this user's offers. False: too much of this user waits already.
   */
  offer(who: Who, bytes: number, go: () => void): boolean {
    const share = this.#shares.get(who) ?? { waiting: [], waitingBytes: 0, underWayBytes: 0, finish: 0 };
    this.#shares.set(who, share);
    if (share.waitingBytes + bytes > this.#waitingBytesMax && share.waiting.length > 0) return false;
    const start = Math.max(this.#time, share.finish);
    share.finish = start + bytes;
    share.waiting.push({ bytes, start, go });
    this.#pieces += 1;
    share.waitingBytes += bytes;
    return true;
  }

  /** `bytes` that were let go have arrived, or are lost: there is room for others. */
  done(who: Who, bytes: number): void {
    const share = this.#shares.get(who);
    if (share === undefined) return;
    const freed = Math.min(bytes, share.underWayBytes);
    share.underWayBytes -= freed;
    this.#underWayBytes -= freed;
  }

  /** The user will offer everything again: what waits is dropped, and what is under way no longer counts. */
  drop(who: Who): void {
    const share = this.#shares.get(who);
    if (share === undefined) return;
    this.done(who, share.underWayBytes);
    this.#pieces -= share.waiting.length;
    share.waiting.length = 0;
    share.waitingBytes = 0;
  }

  /** The same for a user that is gone. */
  forget(who: Who): void {
    this.drop(who);
    this.#shares.delete(who);
  }

  /** Lets go as many pieces as there is room for. One piece always fits an empty pool. */
  pump(): void {
    for (;;) {
      const share = this.#next();
      const piece = share?.waiting[0];
      if (share === null || piece === undefined) return;
      if (this.#underWayBytes > 0 && this.#underWayBytes + piece.bytes > this.#poolBytes) return;
      share.waiting.shift();
      this.#pieces -= 1;
      share.waitingBytes -= piece.bytes;
      share.underWayBytes += piece.bytes;
      this.#underWayBytes += piece.bytes;
      this.#time = piece.start;
      piece.go();
    }
  }

  #next(): Share | null {
    let next: Share | null = null;
    let first: Piece | null = null;
    for (const share of this.#shares.values()) {
      const piece = share.waiting[0];
      if (piece === undefined) continue;
      // Of pieces whose turn begins at the same time the shortest goes first: that delays the others least.
      if (first !== null && (piece.start - first.start || piece.bytes - first.bytes) >= 0) continue;
      next = share;
      first = piece;
    }
    return next;
  }
}
