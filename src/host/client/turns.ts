/**
 * A bounded pool that many share fairly: what one offers waits until there is room, and whoever has had least comes
 * first. So one who offers little waits only for what is in the pool already, whatever the others offer.
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
  /** Where in virtual time its last piece ends. */
  finish: number;
}

export class Turns<Who> {
  readonly #poolBytes: number;
  readonly #waitingBytesMax: number;
  readonly #shares = new Map<Who, Share>();
  #underWayBytes = 0;
  #time = 0;

  /** `poolBytes` of all pieces may be under way; of each one `waitingBytesMax` may wait. */
  constructor(poolBytes: number, waitingBytesMax: number) {
    this.#poolBytes = poolBytes;
    this.#waitingBytesMax = waitingBytesMax;
  }

  /** `go` runs inside a later `pump`, in the order of each one's offers. False: too much of this one waits already. */
  offer(who: Who, bytes: number, go: () => void): boolean {
    const share = this.#shares.get(who) ?? { waiting: [], waitingBytes: 0, underWayBytes: 0, finish: 0 };
    this.#shares.set(who, share);
    if (share.waitingBytes + bytes > this.#waitingBytesMax && share.waiting.length > 0) return false;
    const start = Math.max(this.#time, share.finish);
    share.finish = start + bytes;
    share.waiting.push({ bytes, start, go });
    share.waitingBytes += bytes;
    return true;
  }

  /** So many bytes of what went are where they should be, or lost: there is room for others. */
  done(who: Who, bytes: number): void {
    const share = this.#shares.get(who);
    if (share === undefined) return;
    const freed = Math.min(bytes, share.underWayBytes);
    share.underWayBytes -= freed;
    this.#underWayBytes -= freed;
  }

  /** It says everything again: what waits of it is dropped, and what is under way counts no more. */
  drop(who: Who): void {
    const share = this.#shares.get(who);
    if (share === undefined) return;
    this.done(who, share.underWayBytes);
    share.waiting.length = 0;
    share.waitingBytes = 0;
  }

  /** The same, of one that is gone. */
  forget(who: Who): void {
    this.drop(who);
    this.#shares.delete(who);
  }

  /** Lets go what there is room for; one piece always fits an empty pool. */
  pump(): void {
    for (;;) {
      const share = this.#next();
      const piece = share?.waiting[0];
      if (share === null || piece === undefined) return;
      if (this.#underWayBytes > 0 && this.#underWayBytes + piece.bytes > this.#poolBytes) return;
      share.waiting.shift();
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
      // Of those whose turn begins together the shortest goes first: that costs the others least.
      if (first !== null && (piece.start - first.start || piece.bytes - first.bytes) >= 0) continue;
      next = share;
      first = piece;
    }
    return next;
  }
}
