/** Where a peer can be dialled, and how that is written. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT` */
export function place({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address that only its own machine reaches. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^(::ffff:)?127\./i.test(host);
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}
