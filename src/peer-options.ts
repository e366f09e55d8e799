/** What a program says of its peer, as the host takes it. */
import type * as v from "valibot";
import type { CREATE } from "./arguments.ts";
import { isLoopback } from "./core/address.ts";
import type { HostOptions } from "./host/host-contract.ts";
import { PeerError } from "./peer-error.ts";
import { type Invitation, parseInvitation } from "./wire/invitation.ts";

type Settings = Omit<v.InferOutput<typeof CREATE>, "signal">;

/** Throws PeerError "bad-option". */
export function hostOptions(settings: Settings): Omit<HostOptions, "engine"> {
  const { id, port = 6000 + id, name = `peer_${id}`, host, advertise = null, presence, secure, invite } = settings;
  const { seeds, receipts, timings, durability, insecure } = settings;
  return {
    ...{ id, host, port, name, advertise, seeds, receipts, timings, durability, insecure },
    announces: presence,
    secured: secure ?? (!insecure && !isLoopback(host)),
    ...(invite !== undefined && { invitation: understood(invite) }),
    acknowledges: true,
  };
}

/** Throws PeerError, which shows nothing of it. */
function understood(invite: string): Invitation {
  const parsed = parseInvitation(invite);
  if (!parsed.ok) throw new PeerError("bad-option", `invite: ${parsed.message}`);
  if (parsed.invitation.role === "member") return parsed.invitation;
  throw new PeerError("bad-option", "invite: this invitation is for a client, and a peer is a member");
}

/** A program's function, whose exception is not to cut short what the peer does: it comes up as an unhandled rejection. */
export function guarded<T>(callback: ((value: T) => void) | undefined): (value: T) => void {
  return (value) => {
    try {
      callback?.(value);
    } catch (error) {
      void Promise.reject(error);
    }
  };
}
