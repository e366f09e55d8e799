/** Everything that travels on a connection, between peers, and between a peer and its clients. */
import type { ClientFrame } from "./client-frames.ts";
import type { PeerFrame } from "./message.ts";

export type Frame = PeerFrame | ClientFrame;
