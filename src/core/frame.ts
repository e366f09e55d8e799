/** All that travels on a connection, between peers and to those who use one without a log of their own. */
import type { ClientFrame } from "./client-frames.ts";
import type { PeerFrame } from "./message.ts";

export type Frame = PeerFrame | ClientFrame;
