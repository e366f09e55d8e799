/** The error for wrong data from a peer or a file: it is refused and counted, and this peer goes on [W4]. */
const MESSAGE_LENGTH_MAX = 300;

export class WireError extends Error {
  override readonly name = "WireError";
  /** The message may quote what strangers sent, so it is cut, and only printable ASCII stays as it is. */
  constructor(message: string) {
    const cut = message.length > MESSAGE_LENGTH_MAX ? `${message.slice(0, MESSAGE_LENGTH_MAX)}…` : message;
    super(cut.replace(/[^\x20-\x7e…]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`));
  }
}

/** The other side speaks another version of the protocol [W2]; nothing else of what it says can be understood. */
export class WrongVersion extends WireError {}
